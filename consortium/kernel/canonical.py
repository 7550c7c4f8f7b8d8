"""Canonical JSON (RFC 8785): one value, one sequence of bytes, so that a digest names a value."""

import json
from collections.abc import Sequence
from itertools import chain
from typing import Any, NoReturn, cast

import rfc8785

from consortium.kernel.errors import InvalidInputError

# A manifest of 100,000 leaves of about 200 bytes, with room; anything larger is not ours.
MAX_DOCUMENT_BYTES = 64 * 1024 * 1024
# A fixed number, because the interpreter's own limit differs from one process to the next.
MAX_DEPTH = 64
_MAX_INTEGER = 2**53 - 1
_PLAIN = frozenset({dict, list, tuple, str, int, bool, type(None)})
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, sort_keys=True, separators=(",", ":"))


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
    is_plain = _require_shallow(value)
    try:
        return _ENCODER.encode(value).encode() if is_plain else rfc8785.dumps(cast("Any", value))
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


def _require_shallow(value: object) -> bool:
    """Refuse deep nesting; return whether the value is plain: the standard library's C encoder writes it canonically.

    Plain is what has one spelling in both: no float, no integer beyond 2**53, no subclass of a JSON type, and ASCII
    keys (others are sorted by UTF-16 there, by code point here).
    """
    layer: list[object] = [value]
    is_plain = True
    for _ in range(MAX_DEPTH + 1):
        is_plain = is_plain and _are_plain(layer)
        # Only what holds something is followed.
        holders = [item for item in layer if isinstance(item, (dict, list, tuple))]
        if not holders:
            return is_plain
        is_plain = is_plain and _have_plain_keys(holders)
        layer = [child for item in holders for child in (item.values() if isinstance(item, dict) else item)]
    raise InvalidInputError(f"The value is nested more than {MAX_DEPTH} deep. Flatten it.")


def _are_plain(layer: Sequence[object]) -> bool:
    types = set(map(type, layer))
    if int in types and any(type(item) is int and abs(item) > _MAX_INTEGER for item in layer):
        return False
    return types <= _PLAIN


def _have_plain_keys(holders: Sequence[object]) -> bool:
    try:
        return "".join(chain.from_iterable(item for item in holders if isinstance(item, dict))).isascii()
    except TypeError:
        # A key that is no text: the slow way refuses it.
        return False
