"""Strict reading of the JSON forms in which parties exchange messages."""

import base64
import binascii
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import cast

from training.federated.errors import WireFormatError

_HEX = re.compile(r"0x[0-9a-f]+\Z")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")


def read_object(value: object, keys: Sequence[str], *, what: str) -> Mapping[str, object]:
    """Return the value as a mapping that has exactly these keys."""
    if not isinstance(value, dict) or set(value) != set(keys):
        raise WireFormatError(f"A {what} is an object with exactly the keys {', '.join(keys)}.")
    return cast("Mapping[str, object]", value)


def read_list(value: object, *, what: str, max_items: int) -> Sequence[object]:
    if not isinstance(value, list) or len(value) > max_items:
        raise WireFormatError(f"{what} is a list of at most {max_items} items.")
    return cast("Sequence[object]", value)


def read_map(value: object, *, what: str, max_items: int) -> Mapping[uuid.UUID, object]:
    """Return an object whose keys are organization ids."""
    if not isinstance(value, dict) or len(value) > max_items:
        raise WireFormatError(f"{what} is an object of at most {max_items} organization ids.")
    return {read_uuid(key, what=f"a key of {what}"): item for key, item in value.items()}


def read_integer(value: object, *, what: str, minimum: int = 0, maximum: int = 2**32 - 1) -> int:
    # bool is an int in Python, not on the wire
    if not isinstance(value, int) or isinstance(value, bool) or not minimum <= value <= maximum:
        raise WireFormatError(f"{what} is a whole number from {minimum} to {maximum}.")
    return value


def read_uuid(value: object, *, what: str) -> uuid.UUID:
    """Return a UUID written in its one lower-case form."""
    if not isinstance(value, str) or not _UUID.match(value):
        raise WireFormatError(f"{what} is a UUID in lower-case text.")
    return uuid.UUID(value)


def write_hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def read_hex(value: object, *, what: str, size_bytes: int) -> bytes:
    if not isinstance(value, str) or len(value) != 2 + 2 * size_bytes or not _HEX.match(value):
        raise WireFormatError(f"{what} is 0x and {2 * size_bytes} lower-case hexadecimal digits.")
    return bytes.fromhex(value[2:])


def write_base64(raw: bytes) -> str:
    return base64.b64encode(raw).decode("ascii")


def read_base64(value: object, *, what: str, size_bytes: int | None = None, max_bytes: int = 4096) -> bytes:
    """Return the bytes of a base64 text in its one canonical form, of one size or 1 to `max_bytes`."""
    limit = max_bytes if size_bytes is None else size_bytes
    if not isinstance(value, str) or not 0 < len(value) <= 4 * (limit // 3 + 1):
        raise WireFormatError(f"{what} is base64 text of 1 to {limit} bytes.")
    try:
        raw = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise WireFormatError(f"{what} is not base64.") from error
    if len(raw) > limit or (size_bytes is not None and len(raw) != size_bytes) or write_base64(raw) != value:
        raise WireFormatError(f"{what} has another size or another form than agreed.")
    return raw
