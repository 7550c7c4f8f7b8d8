"""RFC 8785 (canonical JSON), written from the RFC: strict reading, and writing to compare with."""

import json
from decimal import Decimal
from typing import Any, NoReturn

from consilium_verify.findings import RefusedError

_SAFE = 2**53 - 1
_SHORT = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}


def parse_json(data: bytes) -> Any:
    """Read JSON without doubled keys and without NaN and Infinity, which are not JSON."""
    try:
        return json.loads(
            data.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant, parse_int=_integer
        )
    except (ValueError, RecursionError) as error:
        raise RefusedError("not readable as JSON") from error


def parse_canonical(data: bytes) -> Any:
    """Read JSON that is exactly what `encode` writes for its value."""
    value = parse_json(data)
    try:
        again = encode(value)
    except (ValueError, RecursionError, OverflowError) as error:
        raise RefusedError("not in canonical form (RFC 8785)") from error
    if again != data:
        raise RefusedError("not in canonical form (RFC 8785)")
    return value


def parse_canonical_object(data: bytes) -> dict[str, Any]:
    """Read a canonical JSON object."""
    value = parse_canonical(data)
    if not isinstance(value, dict):
        raise RefusedError("not a JSON object")
    return value


def encode(value: Any) -> bytes:
    """Write a value of JSON in its canonical form, UTF-8."""
    return _text(value).encode("utf-8")


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return '"' + "".join(map(_character, value)) + '"'
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list):
        return "[" + ",".join(map(_text, value)) + "]"
    # Section 3.2.3: keys are compared as arrays of UTF-16 code units
    members = sorted(value.items(), key=lambda member: member[0].encode("utf-16-be"))
    return "{" + ",".join(f"{_text(key)}:{_text(member)}" for key, member in members) + "}"


def _character(character: str) -> str:
    code = ord(character)
    return _SHORT.get(code) or (f"\\u{code:04x}" if code < 32 else character)


def _number(value: float) -> str:
    """Number::toString of ECMA-262: the shortest digits that read back, placed by their exponent."""
    if value - value != 0:
        raise ValueError("not finite")
    sign = "-" if value < 0 else ""
    parts = Decimal(repr(abs(value))).normalize().as_tuple()
    digits = "".join(map(str, parts.digits))
    point = len(digits) + int(parts.exponent)
    if digits == "0":
        return "0"
    if len(digits) <= point <= 21:
        return sign + digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"{sign}0.{'0' * -point}{digits}"
    fraction = "." + digits[1:] if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{fraction}e{point - 1:+d}"


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key is there twice")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _integer(digits: str) -> int | float:
    if len(digits) > 32:
        raise ValueError("a number is too long")
    # Beyond the safe range JSON's numbers are floats, and RFC 8785 writes them as such.
    return int(digits) if abs(int(digits)) <= _SAFE else float(digits)
