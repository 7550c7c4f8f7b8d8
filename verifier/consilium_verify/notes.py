"""C2SP signed notes and checkpoints, written from c2sp.org/signed-note and c2sp.org/tlog-checkpoint."""

import base64
import hashlib
import re
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from consilium_verify.findings import RefusedError

_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_KEY = re.compile(r"([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")
_MAX_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A name and an Ed25519 public key, as `name+hex(key id)+base64(0x01 || key)` writes them."""

    name: str
    public_key: bytes

    @classmethod
    def parse(cls, text: str) -> "VerifierKey":
        """Read a verifier key."""
        match = _KEY.fullmatch(text)
        raw = unbase64(match[3]) if match else b""
        if not match or raw[:1] != b"\x01" or len(raw) != 33:
            raise RefusedError("not a verifier key of Ed25519")
        key = cls(match[1], raw[1:])
        if key.key_id.hex() != match[2]:
            raise RefusedError("the verifier key's id is not its own")
        return key

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name || LF || 0x01 || key)."""
        return hashlib.sha256(b"%s\n\x01%s" % (self.name.encode(), self.public_key)).digest()[:4]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Size and root of one log."""

    size: int
    root: bytes


def note_text(note: bytes, key: VerifierKey) -> str:
    """Return the text of a note that bears exactly one signature by this key, a true one."""
    try:
        content = note.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RefusedError("not a signed note") from error
    body, gap, block = content.rpartition("\n\n")
    text = body + "\n"
    if not gap or not block.endswith("\n") or len(note) > _MAX_BYTES or re.search(r"[\x00-\x09\x0b-\x1f]", content):
        raise RefusedError("not a signed note")
    own = [
        raw[4:] for name, raw in map(_signature, block[:-1].split("\n")) if (name, raw[:4]) == (key.name, key.key_id)
    ]
    if len(own) != 1:
        raise RefusedError(f"not signed once by the log's key {key.name}+{key.key_id.hex()}")
    try:
        Ed25519PublicKey.from_public_bytes(key.public_key).verify(own[0], text.encode())
    except InvalidSignature as error:
        raise RefusedError("the log's signature is false") from error
    return text


def open_checkpoint(note: bytes, key: VerifierKey) -> Checkpoint:
    """Return the checkpoint that the log signed under its own origin."""
    match = re.fullmatch(r"([^\n]+)\n(0|[1-9][0-9]{0,18})\n([A-Za-z0-9+/]{43}=)\n", note_text(note, key), re.ASCII)
    if not match:
        raise RefusedError("not a checkpoint of origin, size and root")
    if match[1] != key.name:
        raise RefusedError(f"the checkpoint is of another log: {match[1]}")
    return Checkpoint(int(match[2]), unbase64(match[3]))


def unbase64(text: str) -> bytes:
    """Decode base64 in its one canonical spelling."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError as error:
        raise RefusedError("not base64") from error
    if base64.b64encode(raw).decode() != text:
        raise RefusedError("not canonical base64")
    return raw


def _signature(line: str) -> tuple[str, bytes]:
    match = _LINE.fullmatch(line)
    if not match:
        raise RefusedError("a signature line is malformed")
    return match[1], unbase64(match[2])
