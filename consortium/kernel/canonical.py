"""Canonical JSON (RFC 8785): one value, one sequence of bytes, so that a digest names a value."""

import json
from typing import Any, NoReturn, cast

import rfc8785

from consortium.kernel.errors import InvalidInputError

# A manifest of 100,000 leaves of about 200 bytes, with room; anything larger is not ours.
MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
# A fixed number, because the interpreter's own limit differs from one process to the next.
MAX_DEPTH = 64


def canonical_json(value: object) -> bytes:
    """Serialize a JSON value as RFC 8785 says: UTF-8, sorted keys, one form for each number.

    Parameters
    ----------
    value : None, bool, int, float, str, list, tuple or dict with str keys
        Integers lie within ±(2**53 - 1), floats are finite, strings hold no lone surrogate; at most
        `MAX_DEPTH` lists and objects lie in one another.

    Raises
    ------
    InvalidInputError
        If the value, or a part of it, has no canonical form.
    """
    _require_shallow(value)
    try:
        return rfc8785.dumps(cast("Any", value))
    except (rfc8785.CanonicalizationError, UnicodeEncodeError) as error:
        raise InvalidInputError(f"The value has no canonical JSON form: {error}. Change the value.") from error


def parse_canonical(data: bytes, *, max_bytes: int = MAX_DOCUMENT_BYTES) -> Any:
    """Read one JSON value and hold it to its canonical form, so that no second text has the same value.

    Raises
    ------
    InvalidInputError
        If the bytes are too many, not JSON, or not exactly what `canonical_json` would write.
    """
    if len(data) > max_bytes:
        raise InvalidInputError(f"The document has {len(data)} bytes; at most {max_bytes} are read.")
    try:
        value = json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidInputError("The document is not UTF-8 JSON of reasonable depth.") from error
    # Doubled keys, spaces, other number forms and other key orders all show up as a difference here.
    if canonical_json(value) != data:
        raise InvalidInputError("The document is JSON, but not in canonical form (RFC 8785). Serialize it again.")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _require_shallow(value: object) -> None:
    layer: list[object] = [value]
    for _ in range(MAX_DEPTH + 1):
        # Only what holds something is followed.
        holders = [item for item in layer if isinstance(item, (dict, list, tuple))]
        if not holders:
            return
        layer = [child for item in holders for child in (item.values() if isinstance(item, dict) else item)]
    raise InvalidInputError(f"The value is nested more than {MAX_DEPTH} deep. Flatten it.")
