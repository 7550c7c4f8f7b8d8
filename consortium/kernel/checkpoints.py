"""Checkpoints of a log (C2SP tlog-checkpoint): origin, size and root in a signed note."""

import base64
import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass

from consortium.kernel.errors import InvalidInputError, InvalidSignatureError
from consortium.kernel.hashing import require_hash
from consortium.kernel.notes import NoteKey, NoteSigner, open_note, sign_note

_SIZE = re.compile(r"0|[1-9][0-9]{0,19}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of one log: `size` leaves under `root` (32 bytes)."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Return the note's text: origin, decimal size, base64 root, a line each."""
        if not self.origin or "\n" in self.origin or not 0 <= self.size < 2**64:
            raise InvalidInputError("A checkpoint has an origin of one line and a size of 64 bits.")
        return f"{self.origin}\n{self.size}\n{base64.b64encode(require_hash(self.root, 'root')).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """Read a checkpoint's text; extension lines, which nobody of ours writes, are refused."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not _SIZE.fullmatch(lines[1]):
            raise InvalidInputError("A checkpoint's text is three lines: origin, size, root.")
        try:
            checkpoint = cls(lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True))
        except (binascii.Error, ValueError) as error:
            raise InvalidInputError("The checkpoint's root is not base64.") from error
        if checkpoint.text() != text:
            raise InvalidInputError("The checkpoint is not in its one spelling.")
        return checkpoint


def sign_checkpoint(checkpoint: Checkpoint, signers: Sequence[NoteSigner]) -> str:
    """Return the checkpoint as a signed note; the log's own key, whose name is the origin, signs first."""
    if not signers or signers[0].name != checkpoint.origin:
        raise InvalidInputError("A checkpoint is signed first by the log's key, named by the origin.")
    return sign_note(checkpoint.text(), signers)


def open_checkpoint(note: str, log_key: NoteKey, witnesses: Sequence[NoteKey] = ()) -> tuple[Checkpoint, int]:
    """Return the checkpoint that the log signed, and how many of the witnesses co-signed it.

    Raises
    ------
    InvalidSignatureError
        If the log's key has not signed it, or its origin is another log's.
    """
    text, signed = open_note(note, [log_key, *witnesses])
    checkpoint = Checkpoint.parse(text)
    if log_key not in signed or checkpoint.origin != log_key.name:
        raise InvalidSignatureError(f"The checkpoint is not signed by the log {log_key.name}.")
    return checkpoint, len(signed) - 1
