"""Small strict readers for the members of JSON objects."""

import re
from typing import Any

from consilium_verify.findings import RefusedError

_HEX = re.compile(r"0x(?:[0-9a-f]{2})*")


def exact(value: Any, *names: str, optional: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the object if it has these members, perhaps the optional ones, and no others."""
    if not isinstance(value, dict) or not set(names) <= value.keys() <= {*names, *optional}:
        raise RefusedError(f"expected an object with {', '.join(names)}")
    return value


def text(value: Any, pattern: str = r"[^\x00-\x1f\x7f]{1,500}") -> str:
    """Return the text if it matches the whole pattern."""
    if not isinstance(value, str) or not re.fullmatch(pattern, value):
        raise RefusedError("a text is malformed")
    return value


def natural(value: Any) -> int:
    """Return a natural number."""
    if type(value) is not int or value < 0:
        raise RefusedError("a number is not a natural number")
    return value


def array(value: Any, most: int = 1_000_000) -> list[Any]:
    """Return a list of at most so many items."""
    if not isinstance(value, list) or len(value) > most:
        raise RefusedError("a list is missing or too long")
    return value


def raw(value: Any, size: int | None = None) -> bytes:
    """Return the bytes of lower-case 0x-hexadecimal, of this size if one is given."""
    if not isinstance(value, str) or not _HEX.fullmatch(value):
        raise RefusedError("expected lower-case hexadecimal with 0x")
    result = bytes.fromhex(value[2:])
    if size is not None and len(result) != size:
        raise RefusedError(f"expected {size} bytes, found {len(result)}")
    return result


def nodes(value: Any) -> list[bytes]:
    """Return the nodes of a proof in a trie: a path of 32 bytes has at most 64, and its leaf."""
    return [raw(node) for node in array(value, 65)]
