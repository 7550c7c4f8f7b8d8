"""The types that a record's data may have. None of them is free text, so that nobody's name slips in."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from consortium.kernel.bands import band

_MAX_ITEMS = 256
_MAX_NUMBER = 2**53 - 1


@dataclass(frozen=True)
class Field:
    """One type: what it is called in a refusal, and whether a JSON value has it."""

    name: str
    accepts: Callable[[object], bool]
    required: bool = True


def optional(field: Field) -> Field:
    """The same type, but it may be left out."""
    return replace(field, required=False)


def several(field: Field) -> Field:
    """A list of at most 256 values of one type."""
    return Field(f"list of {field.name}", lambda value: _is_list_of(field, value))


def _matching(name: str, pattern: str) -> Field:
    compiled = re.compile(pattern)
    return Field(name, lambda value: isinstance(value, str) and compiled.fullmatch(value) is not None)


def _is_list_of(field: Field, value: object) -> bool:
    return isinstance(value, list) and len(value) <= _MAX_ITEMS and all(map(field.accepts, value))


def _is_number(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_NUMBER


def _is_band(value: object) -> bool:
    return isinstance(value, int) and _is_number(value) and band(value) == value


def _is_time(value: object) -> bool:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return False
    return moment is not None and moment.utcoffset() == timedelta(0)


UUID = _matching("UUID", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DIGEST = _matching("digest (sha256:<hex>)", r"sha256:[0-9a-f]{64}")
HASH = _matching("32 bytes (0x<hex>)", r"0x[0-9a-f]{64}")
ADDRESS = _matching("address (0x<hex>)", r"0x[0-9a-fA-F]{40}")
CODE = _matching("code of lower-case letters", r"[a-z][a-z0-9_.-]{0,59}")
SYMBOL = _matching("name of a contract, function or error", r"[A-Za-z][A-Za-z0-9_]{0,63}")
COUNTRY = _matching("country (two letters of ISO 3166-1)", r"[A-Z]{2}")
NUMBER = Field("whole number", _is_number)
# The lower edge of a band: what a consortium's log shows instead of a count of people.
BAND = Field("band", _is_band)
TIME = Field("time in UTC (RFC 3339)", _is_time)
FLAG = Field("true or false", lambda value: isinstance(value, bool))
