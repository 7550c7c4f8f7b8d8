"""Values that a person wrote into the members file, taken out one by one and read strictly."""

import ipaddress
import re
from collections.abc import Callable
from typing import Any, TypeVar

from contracts.network.enodes import parse_host, parse_node_key, parse_port
from contracts.network.errors import EnodeError, MembersFileError

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")
_T = TypeVar("_T")


class Table:
    """Takes values out of a mapping, so that what is left at the end is unknown."""

    def __init__(self, value: Any, place: str) -> None:
        if not isinstance(value, dict):
            raise MembersFileError(f"In the members file, {place} must be a mapping of names to values.")
        self._left = dict(value)
        self._place = place

    def take(self, key: str, read: Callable[[Any], _T]) -> _T:
        if self._left.get(key) is None:
            raise MembersFileError(f"In the members file, {self._place} lacks `{key}`. Add it.")
        try:
            return read(self._left.pop(key))
        except (ValueError, EnodeError) as error:
            said = error.message if isinstance(error, EnodeError) else str(error)
            raise MembersFileError(f"In the members file, `{key}` of {self._place}: {said}") from error

    def optional(self, key: str, read: Callable[[Any], _T], default: _T) -> _T:
        return self.take(key, read) if key in self._left else default

    def require_empty(self) -> None:
        if self._left:
            names = ", ".join(sorted(map(str, self._left)))
            raise MembersFileError(f"In the members file, {self._place} has unknown {names}. Remove or correct it.")


def a_mapping(value: Any) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise ValueError("a mapping is needed.")
    return value


def a_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("a list is needed, one entry a member.")
    return value


def a_text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is needed: put it in quotation marks.")
    return value


def a_name(value: Any) -> str:
    if not _NAME.fullmatch(a_text(value)):
        raise ValueError("a short name has 1 to 40 small letters, digits and hyphens; it becomes a folder's name.")
    return str(value)


def within(lowest: int, highest: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is not int or not lowest <= value <= highest:
            raise ValueError(f"a whole number within {lowest} and {highest} is needed.")
        return value

    return read


def an_address(value: Any) -> str:
    return parse_host(a_text(value))


def a_port(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("a whole number is needed.")
    return parse_port(value)


def a_public_key(value: Any) -> bytes | None:
    return parse_node_key(a_text(value))


def a_listening_address(value: Any) -> str:
    try:
        return str(ipaddress.ip_address(a_text(value)))
    except ValueError as error:
        raise ValueError("an IP address of the machine is needed, such as 127.0.0.1.") from error


def host_names(value: Any) -> tuple[str, ...]:
    names = tuple(a_text(name) for name in a_list(value))
    if wrong := [name for name in names if not _HOST_NAME.fullmatch(name)]:
        raise ValueError(f'{wrong[0]!r} is no host name; "*" is not taken, since it lets any web page in.')
    return names
