"""The members file: who starts a network together, and its numbers; read strictly, since it cannot be changed later."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.network.enodes import DEFAULT_PORT
from contracts.network.errors import MembersFileError
from contracts.network.form import (
    Table,
    a_list,
    a_listening_address,
    a_mapping,
    a_name,
    a_port,
    a_public_key,
    an_address,
    host_names,
    within,
)
from contracts.network.strict_yaml import read_yaml

# QBFT tolerates one fault from 4 on; ValidatorSource takes at most 64.
MINIMUM_MEMBERS = 4
MAXIMUM_MEMBERS = 64
# A head that is older than 30 s is an alarm (`contracts.network.status`): a quiet network must not look like one that
# has lost its quorum.
MAX_EMPTY_BLOCK_SECONDS = 20
# The most that the dispatcher signs for one call (`contracts.sending.trials`): it has to fit into a block.
MIN_GAS_LIMIT = 30_000_000
# Largest chain id that JSON's readers keep exactly.
MAX_CHAIN_ID = 2**53 - 1


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
    document = Table(read_yaml(content), "the file")
    numbers = _numbers(Table(document.take("network", a_mapping), "network"))
    rows = document.take("members", a_list)
    document.require_empty()
    found = MembersFile(numbers, tuple(_member(row, place) for place, row in enumerate(rows, start=1)))
    _require_coherent(found)
    return found


def _numbers(table: Table) -> Numbers:
    chain_id = table.take("chain_id", within(1, MAX_CHAIN_ID))
    found = Numbers(
        name=table.take("name", a_name),
        chain_id=chain_id,
        block_period_seconds=table.optional(
            "block_period_seconds", within(1, MAX_EMPTY_BLOCK_SECONDS), Numbers.block_period_seconds
        ),
        empty_block_period_seconds=table.optional(
            "empty_block_period_seconds", within(1, MAX_EMPTY_BLOCK_SECONDS), Numbers.empty_block_period_seconds
        ),
        request_timeout_seconds=table.optional(
            "request_timeout_seconds", within(2, 600), Numbers.request_timeout_seconds
        ),
        gas_limit=table.optional("gas_limit", within(MIN_GAS_LIMIT, 1_000_000_000), Numbers.gas_limit),
        minimum_validators=table.optional(
            "minimum_validators", within(MINIMUM_MEMBERS, MAXIMUM_MEMBERS), Numbers.minimum_validators
        ),
    )
    table.require_empty()
    return found


def _member(row: Any, number: int) -> Member:
    name = row.get("name") if isinstance(row, dict) else None
    table = Table(row, f"member {name if isinstance(name, str) else number}")
    found = Member(
        name=table.take("name", a_name),
        host=table.take("host", an_address),
        port=table.optional("port", a_port, DEFAULT_PORT),
        public_key=table.optional("public_key", a_public_key, None),
        rpc_host=table.optional("rpc_host", a_listening_address, Member.rpc_host),
        rpc_names=table.optional("rpc_names", host_names, ()),
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
