"""Keyed pseudonyms: how a data subject is known outside the site's own records."""

import hashlib
import hmac
import re

from consortium.kernel.errors import InvalidInputError

MIN_KEY_BYTES = 32
MAX_SUBJECT_CHARACTERS = 512
_LABEL = b"consilium/pseudonym/1\0"
_PSEUDONYM = re.compile(r"[0-9a-f]{64}\Z")


def pseudonym(key: bytes, subject: str) -> str:
    """Return HMAC-SHA-256 (RFC 2104) of the label `consilium/pseudonym/1`, a zero byte and the subject, in hex.

    Parameters
    ----------
    key : at least 32 bytes
        The site's pseudonym key. It stays with the agent: who has it can find the pseudonym of any known patient.
    subject : str
        The identifier that the site's records use, compared byte for byte in UTF-8.

    Raises
    ------
    InvalidInputError
        If the key is short, or the subject empty or longer than `MAX_SUBJECT_CHARACTERS`.
    """
    if len(key) < MIN_KEY_BYTES:
        raise InvalidInputError(f"A pseudonym key has at least {MIN_KEY_BYTES} random bytes.")
    if not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS:
        raise InvalidInputError(f"A subject's identifier has 1 to {MAX_SUBJECT_CHARACTERS} characters.")
    return hmac.new(key, _LABEL + subject.encode(), hashlib.sha256).hexdigest()


def is_pseudonym(text: object) -> bool:
    """Say whether the value has a pseudonym's form: 64 lower-case hexadecimal digits."""
    return isinstance(text, str) and bool(_PSEUDONYM.match(text))
