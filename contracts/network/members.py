"""The members file: who starts a network together, and its numbers; read strictly, since it cannot be changed later."""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from contracts.network.enodes import DEFAULT_PORT, parse_host, parse_node_key, parse_port
from contracts.network.errors import EnodeError, MembersFileError
from contracts.network.strict_yaml import read_yaml

# QBFT tolerates one fault from 4 on; ValidatorSource takes at most 64.
MINIMUM_MEMBERS = 4
MAXIMUM_MEMBERS = 64
# Largest chain id that JSON's readers keep exactly.
MAX_CHAIN_ID = 2**53 - 1
_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?")
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
_HOST_NAME = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Numbers:
    """What all nodes must agree on; times in seconds, gas limit a block."""

    name: str
    chain_id: int
    block_period_seconds: int = 1
    empty_block_period_seconds: int = 5
    request_timeout_seconds: int = 4
    gas_limit: int = 60_000_000
    minimum_validators: int = MINIMUM_MEMBERS


@dataclass(frozen=True)
class Member:
    """One member's node.

    `public_key` is given by a member who made its node key itself, and None where one is to be made.
    `rpc_host` is the address on which the node answers programs, `rpc_names` the host names they use.
    """

    name: str
    host: str
    port: int = DEFAULT_PORT
    public_key: bytes | None = None
    rpc_host: str = "127.0.0.1"
    rpc_names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MembersFile:
    """A network before its first block."""

    numbers: Numbers
    members: tuple[Member, ...]


def parse_members(content: bytes) -> MembersFile:
    """Read a members file.

    Raises
    ------
    MembersFileError
        Naming what is missing, unknown, twice, or cannot be, and what to write instead.
    """
    document = _Table(read_yaml(content), "the file")
    numbers = _numbers(_Table(document.take("network", _a_mapping), "network"))
    rows = document.take("members", _a_list)
    document.require_empty()
    found = MembersFile(numbers, tuple(_member(row, place) for place, row in enumerate(rows, start=1)))
    _require_coherent(found)
    return found


class _Table:
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


def _numbers(table: _Table) -> Numbers:
    chain_id = table.take("chain_id", _within(1, MAX_CHAIN_ID))
    found = Numbers(
        name=table.take("name", _a_name),
        chain_id=chain_id,
        block_period_seconds=table.optional("block_period_seconds", _within(1, 60), Numbers.block_period_seconds),
        empty_block_period_seconds=table.optional(
            "empty_block_period_seconds", _within(1, 600), Numbers.empty_block_period_seconds
        ),
        request_timeout_seconds=table.optional(
            "request_timeout_seconds", _within(2, 600), Numbers.request_timeout_seconds
        ),
        gas_limit=table.optional("gas_limit", _within(10_000_000, 1_000_000_000), Numbers.gas_limit),
        minimum_validators=table.optional(
            "minimum_validators", _within(MINIMUM_MEMBERS, MAXIMUM_MEMBERS), Numbers.minimum_validators
        ),
    )
    table.require_empty()
    return found


def _member(row: Any, number: int) -> Member:
    name = row.get("name") if isinstance(row, dict) else None
    table = _Table(row, f"member {name if isinstance(name, str) else number}")
    found = Member(
        name=table.take("name", _a_name),
        host=table.take("host", _an_address),
        port=table.optional("port", _a_port, DEFAULT_PORT),
        public_key=table.optional("public_key", _a_public_key, None),
        rpc_host=table.optional("rpc_host", _a_listening_address, Member.rpc_host),
        rpc_names=table.optional("rpc_names", _host_names, ()),
    )
    table.require_empty()
    return found


def _require_coherent(file: MembersFile) -> None:
    numbers, count = file.numbers, len(file.members)
    if not MINIMUM_MEMBERS <= count <= MAXIMUM_MEMBERS:
        raise MembersFileError(
            f"{count} members cannot start a network: it takes {MINIMUM_MEMBERS} to {MAXIMUM_MEMBERS}, "
            "since fewer than 4 validators stand still with the first that fails. Name more members."
        )
    if numbers.minimum_validators > count:
        raise MembersFileError(
            f"minimum_validators is {numbers.minimum_validators} and there are {count} members. Lower it."
        )
    if numbers.empty_block_period_seconds < numbers.block_period_seconds:
        raise MembersFileError("empty_block_period_seconds is below block_period_seconds. Raise it.")
    if numbers.request_timeout_seconds <= numbers.block_period_seconds:
        raise MembersFileError("request_timeout_seconds must be above block_period_seconds, or every round times out.")
    _require_distinct("name", {m.name: m.name for m in file.members}, count)
    _require_distinct("host and port", {(m.host, m.port): m.name for m in file.members}, count)
    keys = [m for m in file.members if m.public_key is not None]
    _require_distinct("public_key", {m.public_key: m.name for m in keys}, len(keys))


def _require_distinct(what: str, found: Mapping[Any, str], count: int) -> None:
    if len(found) != count:
        raise MembersFileError(f"Two members have the same {what}. Each has its own: correct one of them.")


def _a_mapping(value: Any) -> dict[Any, Any]:
    if not isinstance(value, dict):
        raise ValueError("a mapping is needed.")
    return value


def _a_list(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise ValueError("a list is needed, one entry a member.")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("a text is needed: put it in quotation marks.")
    return value


def _a_name(value: Any) -> str:
    if not _NAME.fullmatch(_text(value)):
        raise ValueError("a short name has 1 to 40 small letters, digits and hyphens; it becomes a folder's name.")
    return str(value)


def _within(lowest: int, highest: int) -> Callable[[Any], int]:
    def read(value: Any) -> int:
        if type(value) is not int or not lowest <= value <= highest:
            raise ValueError(f"a whole number within {lowest} and {highest} is needed.")
        return value

    return read


def _an_address(value: Any) -> str:
    return parse_host(_text(value))


def _a_port(value: Any) -> int:
    if type(value) is not int:
        raise ValueError("a whole number is needed.")
    return parse_port(value)


def _a_public_key(value: Any) -> bytes | None:
    return parse_node_key(_text(value))


def _a_listening_address(value: Any) -> str:
    try:
        return str(ipaddress.ip_address(_text(value)))
    except ValueError as error:
        raise ValueError("an IP address of the machine is needed, such as 127.0.0.1.") from error


def _host_names(value: Any) -> tuple[str, ...]:
    names = tuple(_text(name) for name in _a_list(value))
    if wrong := [name for name in names if not _HOST_NAME.fullmatch(name)]:
        raise ValueError(f'{wrong[0]!r} is no host name; "*" is not taken, since it lets any web page in.')
    return names
