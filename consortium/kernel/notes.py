"""C2SP signed notes (signed-note) with Ed25519 keys: a text, and lines of signatures under it.

A note is the text, which ends in a newline, an empty line, and lines `— <name> base64(key id || signature)`.
The key id is the first 4 bytes of SHA-256(name || 0x0A || 0x01 || public key).
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from consortium.kernel.errors import InvalidInputError, InvalidSignatureError

MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 64
_ED25519 = b"\x01"
_MARK = "— "


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A public key under the name that it signs with."""

    name: str
    public_key: bytes

    def __post_init__(self) -> None:
        if not self.name or "+" in self.name or any(c.isspace() or not c.isprintable() for c in self.name):
            raise InvalidInputError("A key's name has neither spaces nor a plus sign, and is not empty.")
        if len(self.public_key) != 32:
            raise InvalidInputError("An Ed25519 public key has 32 bytes.")

    @property
    def key_id(self) -> bytes:
        """The 4 bytes that a signature line names this key by."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public_key).digest()[:4]

    def __str__(self) -> str:
        """Return the verifier key: `name+hex(key id)+base64(0x01 || public key)`."""
        encoded = base64.b64encode(_ED25519 + self.public_key).decode()
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    @classmethod
    def parse(cls, text: str) -> "NoteKey":
        """Read a verifier key; `InvalidInputError` if it is malformed or its key id is not its own."""
        # The base64 part may hold plus signs of its own.
        name, _, rest = text.partition("+")
        key_id, _, encoded = rest.partition("+")
        raw = _decode(encoded)
        if raw[:1] != _ED25519:
            raise InvalidInputError("Only verifier keys of Ed25519 (0x01) are known.")
        key = cls(name, raw[1:])
        if key.key_id.hex() != key_id:
            raise InvalidInputError("The verifier key's id does not belong to its name and key.")
        return key

    def accepts(self, text: str, signature: bytes) -> bool:
        """Say whether the signature over the text is by this key."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class NoteSigner:
    """A private key under the name that it signs with."""

    name: str
    private_key: Ed25519PrivateKey

    @property
    def key(self) -> NoteKey:
        """The public key under the same name."""
        return NoteKey(self.name, self.private_key.public_key().public_bytes_raw())


def sign_note(text: str, signers: Sequence[NoteSigner]) -> str:
    """Return the note: the text and one signature line a signer."""
    _require_text(text)
    if not signers:
        raise InvalidInputError("A note needs at least one signature.")
    return text + "\n" + "".join(_line(text, signer) for signer in signers)


def cosign_note(note: str, signer: NoteSigner) -> str:
    """Return the note with one more signature under it; the others are kept unread."""
    text, _ = _parts(note)
    return note + _line(text, signer)


def open_note(note: str, keys: Sequence[NoteKey]) -> tuple[str, tuple[NoteKey, ...]]:
    """Return the note's text and those of the keys that signed it, at least one.

    Lines of unknown keys are skipped, as the specification asks.

    Raises
    ------
    InvalidInputError
        If it is not a note.
    InvalidSignatureError
        If no key has signed it, one appears twice, or a line by one of the keys is false.
    """
    text, lines = _parts(note)
    known = {(key.name, key.key_id): key for key in keys}
    signed: list[NoteKey] = []
    for name, raw in lines:
        key = known.get((name, raw[:4]))
        if key is None:
            continue
        if key in signed or not key.accepts(text, raw[4:]):
            raise InvalidSignatureError(f"The note's signature by {name} is false or doubled.")
        signed.append(key)
    if not signed:
        raise InvalidSignatureError("The note bears no signature of a known key.")
    return text, tuple(signed)


def _line(text: str, signer: NoteSigner) -> str:
    signature = signer.key.key_id + signer.private_key.sign(text.encode())
    return f"{_MARK}{signer.name} {base64.b64encode(signature).decode()}\n"


def _parts(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    if len(note.encode()) > MAX_NOTE_BYTES:
        raise InvalidInputError(f"A note has at most {MAX_NOTE_BYTES} bytes.")
    # The text may hold empty lines of its own: the last one parts it from the signatures.
    text, separator, block = note.rpartition("\n\n")
    lines = block.split("\n")
    if not separator or lines.pop() != "" or not 0 < len(lines) <= MAX_SIGNATURES:
        raise InvalidInputError("A note is a text, an empty line, and signature lines that end in a newline.")
    _require_text(text + "\n")
    return text + "\n", [_signature(line) for line in lines]


def _signature(line: str) -> tuple[str, bytes]:
    name, space, encoded = line.removeprefix(_MARK).partition(" ")
    raw = _decode(encoded)
    if not line.startswith(_MARK) or not name or not space or len(raw) < 5:
        raise InvalidInputError("A signature line is a dash, a name, and base64 of key id and signature.")
    return name, raw


def _require_text(text: str) -> None:
    if not text.endswith("\n") or any(ord(c) < 32 and c != "\n" for c in text):
        raise InvalidInputError("A note's text ends in a newline and has no other control characters.")


def _decode(encoded: str) -> bytes:
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInputError("A part of the note is not base64.") from error
    # One spelling only: the unused bits of the last letter must be zero.
    if base64.b64encode(raw).decode() != encoded:
        raise InvalidInputError("A part of the note is not in the one canonical spelling of base64.")
    return raw
