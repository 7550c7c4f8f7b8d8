"""The dispatcher: acts a second from outbox rows to confirmed rows, beside the same signed bytes sent raw.

One machine, one database and one run: the dispatcher works, and a bare client sends the very bytes of its
rows to a new node of the same chain, in batches of 100, until all are mined.
"""

import os
import tempfile
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks._database import database
from benchmarks.harness.figures import FigureDict, figure
from benchmarks.harness.progress import say
from contracts.interface import MAX_BATCH

if TYPE_CHECKING:
    from contracts.dispatcher import Dispatcher
    from contracts.gateway import Gateway
    from contracts.models import OutboxTransaction
    from contracts.relay import Relay

ACTS, CONSORTIA, LANES, ROUNDS = 8_000, 8, 4, 3
RAW = "same bytes by eth_sendRawTransaction, batches of 100"
GOAL = 0.8
NOWHERE = "0x00000000000000000000000000000000000000AA"


def run() -> list[FigureDict]:
    """Return the figures."""
    say("starting a database")
    with database():
        return [
            _compare(lanes=LANES, goal=GOAL),
            # Without a goal: a pool takes 600 of one account a block, and the bare client is not told so.
            _compare(lanes=1, goal=None),
        ]


def _compare(*, lanes: int, goal: float | None) -> FigureDict:
    """The median of several rounds, each the dispatcher and the bare client one after the other."""
    name = f"{lanes} lanes" if lanes > 1 else "1 lane"
    rounds = [_round(name, _relays(lanes)) for _ in range(ROUNDS)]
    dispatched, raw = sorted(rounds, key=lambda pair: pair[0] / pair[1])[ROUNDS // 2]
    return figure(
        f"dispatcher: rows to confirmed rows, {name}",
        dispatched,
        "acts/s",
        beside=RAW,
        compared_value=raw,
        at_least=None if goal is None else round(goal * raw),
    )


def _round(name: str, relays: Sequence["Relay"]) -> tuple[float, float]:
    """Acts a second: through the dispatcher, and raw."""
    with _node() as chain:
        _prepare(chain, relays)
        seconds, spent = _dispatch(chain, relays)
        dispatched = ACTS / seconds
        say(f"{name}: {dispatched:,.0f} acts/s; {_shares(spent)}")
    with _node() as chain:
        raw = ACTS / _send_raw(chain, relays)
        say(f"{name}: {raw:,.0f} acts/s raw; load {os.getloadavg()[0]:.1f}")
    return dispatched, raw


@contextmanager
def _node() -> Iterator["Gateway"]:
    """A node that makes a block a second, as on a network."""
    from contracts.gateway import Gateway
    from tests.chain.anvil import Anvil

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        node = Anvil(Path(folder), block_seconds=1).start()
        try:
            yield Gateway([node.url], chain_id=node.chain_id, timeout_seconds=60)
        finally:
            node.stop()


def _relays(count: int) -> list["Relay"]:
    from eth_account import Account

    from contracts.relay import Relay

    return [Relay(Account.create()) for _ in range(count)]


def _prepare(chain: "Gateway", relays: Sequence["Relay"]) -> None:
    """One timelock whose proposers are the relays, known to every consortium; and the rows that wait."""
    from contracts.dispatcher import Dispatcher
    from contracts.models import ContractDeployment, OutboxTransaction, RelayAccount

    for model in (OutboxTransaction, RelayAccount, ContractDeployment):
        model.objects.all().delete()
    addresses = [relay.address for relay in relays]
    consortia = [uuid.uuid4() for _ in range(CONSORTIA)]
    _row(consortia[0], "constructor", [0, addresses, addresses, addresses[0]], "deploy").save()
    _until_settled(Dispatcher(chain, relays[0]))
    deployed = ContractDeployment.objects.get()
    for consortium in consortia[1:]:
        ContractDeployment.objects.create(
            consortium_id=consortium, name=deployed.name, address=deployed.address, block=deployed.block
        )
    OutboxTransaction.objects.bulk_create(
        [_row(consortia[number % CONSORTIA], "schedule", _act(), f"bench:{number}") for number in range(ACTS)]
    )


def _act() -> list[Any]:
    """An operation of its own: 55,000 gas, two new slots and an event, about as much as a round or an anchor."""
    return [NOWHERE, 0, b"", bytes(32), os.urandom(32), 0]


def _row(consortium: uuid.UUID, function: str, arguments: list[Any], key: str) -> "OutboxTransaction":
    from contracts.models import OutboxTransaction
    from contracts.values import to_json

    return OutboxTransaction(
        consortium_id=consortium,
        contract="TimelockController",
        function=function,
        arguments=[to_json(argument) for argument in arguments],
        idempotency_key=key,
    )


def _dispatch(chain: "Gateway", relays: Sequence["Relay"]) -> tuple[float, dict[str, float]]:
    """Seconds until every row is confirmed, and how many of them ended at which step."""
    from contracts.dispatcher import Dispatcher
    from contracts.loops import rarely_collecting

    spent: dict[str, float] = defaultdict(float)
    last = [time.perf_counter()]

    def at(step: str) -> None:
        now = time.perf_counter()
        spent[step] += now - last[0]
        last[0] = now

    begin = time.perf_counter()
    with ThreadPoolExecutor(max_workers=1) as background, rarely_collecting():
        _until_settled(Dispatcher(chain, *relays, at=at, background=background))
    return time.perf_counter() - begin, spent


def _until_settled(dispatcher: "Dispatcher") -> None:
    """As `manage.py dispatch` does."""
    from contracts.management.commands.dispatch import pause_after
    from contracts.models import OutboxTransaction

    waiting = OutboxTransaction.objects.filter(state__in=["recorded", "submitted"])
    while waiting.exists():
        time.sleep(pause_after(dispatcher, dispatcher.dispatch_once()))
    if (failed := OutboxTransaction.objects.filter(state="failed").first()) is not None:
        raise RuntimeError(f"an act failed: {failed.error_text}")


def _send_raw(chain: "Gateway", relays: Sequence["Relay"]) -> float:
    """Seconds from the first batch to the last receipt, after the contract's creation is mined."""
    from contracts.models import OutboxTransaction

    rows = OutboxTransaction.objects.order_by("submitted_at", "nonce").values_list("function", "raw")
    creation = next(bytes(raw or b"") for function, raw in rows if function == "constructor")
    raws = [bytes(raw or b"") for function, raw in rows if function == "schedule"]
    chain.send_raw(creation)
    _until_mined(chain, relays, 1)
    begin = time.perf_counter()
    for first in range(0, len(raws), MAX_BATCH):
        if refused := [
            answer for answer in chain.send_raw_many(raws[first : first + MAX_BATCH]) if not isinstance(answer, bytes)
        ]:
            raise RuntimeError(f"the node refused raw bytes: {refused[0]}")
    _until_mined(chain, relays, 1 + len(raws))
    return time.perf_counter() - begin


def _until_mined(chain: "Gateway", relays: Sequence["Relay"], number: int) -> None:
    while sum(chain.transaction_count(relay.address) for relay in relays) < number:
        time.sleep(0.01)


def _shares(spent: dict[str, float]) -> str:
    whole = sum(spent.values()) or 1.0
    return ", ".join(f"to {step} {seconds / whole:.0%}" for step, seconds in sorted(spent.items(), key=lambda e: -e[1]))
