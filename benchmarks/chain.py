"""The chain from end to end: acts a second, and seconds from a member's service call to the projected row.

Real PostgreSQL, `manage.py dispatch` and `manage.py project` as processes, the real contracts, one relay
account, and a node that makes a block of 60 million gas a second. For 1, 10 and 100 members:

- latency: members have one patient each withdrawn, paced, by the service that their agents call. A member
  waits for its last act before the next one, as its numbers must follow each other;
- acts a second: checkpoints of the members' logs, each with one co-signature, queued as rows. They depend on
  no earlier one, so that neither contract nor member holds them up;
- and the same with 100,000 acts queued.

Beside it the raw node: the same kind of act sent by the bare client at the same pace; and the very bytes of
the outbox, in batches of 100, to a new node. Rows are written to the outbox directly: the services take
some milliseconds an act, and are no part of what is drained.
"""

import os
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path
from statistics import fmean, median
from typing import TYPE_CHECKING, Any

from benchmarks._database import become, database
from benchmarks._platform import (
    Platform,
    Watch,
    all_projected,
    confirmed_rows,
    first_signed,
    make_blocks_each_second,
    members_known,
    mine_at_once,
    node_of_one_second,
)
from benchmarks._usage import fullest
from benchmarks.harness.figures import FigureDict, figure
from benchmarks.harness.progress import say
from consortium.embedded.anvil import BLOCK_GAS_LIMIT, DEVELOPMENT_CHAIN_ID
from contracts.interface import MAX_BATCH

if TYPE_CHECKING:
    from benchmarks._members import Consortium, Member
    from consortium.embedded.postgres import EmbeddedPostgres
    from contracts.gateway import Gateway
    from contracts.relay import Relay
    from tests.chain.anvil import Anvil

# Members, and how many acts a second all of them ask for while latency is measured.
PACES = {1: 0.4, 10: 5.0, 100: 20.0}
PACED_SECONDS = 12.0
ACTS, QUEUED, OF_QUEUED = 4_000, 100_000, 10_000
RAW = "same bytes by eth_sendRawTransaction, batches of 100"
RAW_PACED = "raw node, send to receipt, same pace"
# `contracts.sending.lanes.MAX_IN_FLIGHT`, which cannot be read before Django is set up.
LANE_ACTS = 600
# Enough for one withdrawn patient; what is not used is not paid.
GAS = 200_000
# A queue that is longer is no slower, but for what one run differs from the next.
STEADY = 0.8


def run() -> list[FigureDict]:
    """Return the figures."""
    os.environ["CHAIN_ID"] = str(DEVELOPMENT_CHAIN_ID)
    say("starting a database and a node")
    with database() as postgres, node_of_one_second() as (node, chain), tempfile.TemporaryDirectory() as folder:
        figures: list[FigureDict] = []
        for number in PACES:
            figures += _measure(_Bench(postgres, node, chain, Path(folder)), number)
    return figures


@dataclass
class _Bench:
    postgres: "EmbeddedPostgres"
    node: "Anvil"
    chain: "Gateway"
    folder: Path


def _measure(bench: _Bench, number: int) -> Iterator[FigureDict]:
    """A consortium of so many members, with a relay account of its own."""
    from benchmarks._members import found
    from contracts.relay import create_relay

    who = f"{number} member{'s' if number > 1 else ''}"
    key = bench.folder / f"relay-{number}"
    relay = create_relay(key)
    say(f"{who}: founding")
    mine_at_once(bench.node)
    consortium = found(bench.chain, relay, number)
    make_blocks_each_second(bench.node)
    platform = Platform(bench.postgres, bench.node, bench.folder, [key])
    platform.start("dispatch", "project")
    try:
        members_known(platform, consortium.consortium_id, number)
        yield from _latencies(bench, consortium, who)
        platform.stop("dispatch")
        short = _drain(bench, platform, consortium, relay, count=ACTS, measured=ACTS)
        yield figure(
            f"{who}: queued acts to projected rows", short.rate, "acts/s", beside=RAW, compared_value=short.raw
        )
        if number == max(PACES):
            yield from _long_queue(bench, platform, consortium, relay, short)
    finally:
        platform.stop()


def _latencies(bench: _Bench, consortium: "Consortium", who: str) -> Iterator[FigureDict]:
    pace = PACES[len(consortium.members)]
    with _as_members():
        _anchor_epochs(bench, consortium, who)
        ours = _paced(bench, consortium, pace)
    raw = _paced_raw(bench, consortium, pace)
    say(f"{who}: {len(ours)} acts at {pace:g} a second, {median(ours):.2f} s; raw {median(raw):.2f} s")
    for name, share in (("median", 0.5), ("95 of 100", 0.95), ("longest", 1.0)):
        yield figure(
            f"{who}, {pace:g} acts/s: service call to projected row, {name}",
            quantile(ours, share),
            "s",
            beside=RAW_PACED,
            compared_value=quantile(raw, share),
        )


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest of the values that at least this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


@contextmanager
def _as_members() -> Iterator[None]:
    """Services run as the web process does: in the role that sees its own organization alone."""
    become("consilium_app")
    try:
        yield
    finally:
        become("consilium_system")


def _anchor_epochs(bench: _Bench, consortium: "Consortium", who: str) -> None:
    """Every member's first epoch, all at once: the programs are warm after it."""
    from consent.services.anchoring import relay_epoch

    begin = time.perf_counter()
    with confirmed_rows(bench.postgres, consortium.consortium_id, "consentepoch") as watch:
        rows = [_call(relay_epoch, consortium.epoch(member), member) for member in consortium.members]
        called = time.perf_counter()
        last = max(watch.wait_for(rows).values())
    say(f"{who}: epochs called in {called - begin:.2f} s, all projected after {last - begin:.2f} s")


def _paced(bench: _Bench, consortium: "Consortium", pace: float) -> list[float]:
    """Seconds from each service call to its confirmed row."""
    from consent.services.anchoring import relay_revocation

    begun: dict[Any, float] = {}
    with confirmed_rows(bench.postgres, consortium.consortium_id, "revocationevent") as watch:
        for member in _in_turn(consortium, pace):
            signed = consortium.revocation(member)
            begin = time.perf_counter()
            begun[_call(relay_revocation, signed, member)] = begin
        seen = watch.wait_for(list(begun))
    return [seen[row] - begin for row, begin in begun.items()]


def _in_turn(consortium: "Consortium", pace: float) -> Iterator["Member"]:
    """One member after the other, so many a second."""
    begin = time.perf_counter()
    for index, member in enumerate(islice(cycle(consortium.members), round(pace * PACED_SECONDS))):
        time.sleep(max(0.0, begin + index / pace - time.perf_counter()))
        yield member


def _call(service: Any, signed: Any, member: "Member") -> Any:
    """What the view does when the member's agent has posted its signed act."""
    from django.db import transaction

    from audit.acts import Actor
    from consortium.common.tenancy import act_for

    actor = Actor.agent(member.address, member.organization_id)
    with transaction.atomic(), act_for(organization_id=member.organization_id):
        return service(signed=signed, organization_id=member.organization_id, actor=actor).pk


def _paced_raw(bench: _Bench, consortium: "Consortium", pace: float) -> list[float]:
    """Seconds from each act's sending to its receipt, by a client that does nothing else."""
    from eth_account import Account

    from contracts.relay import Relay

    sender, begun, chain = Relay(Account.create()), dict[bytes, float](), bench.chain

    def look() -> list[bytes]:
        open_ones = [name for name in list(begun) if name not in watch.seen]
        return [name for name, found in zip(open_ones, chain.receipts(open_ones), strict=True) if found is not None]

    watch = Watch(look)
    with watch:
        for nonce, member in enumerate(_in_turn(consortium, pace)):
            signed = _raw_revocation(chain, consortium, member, sender, nonce)
            begun[signed.hash] = time.perf_counter()
            chain.send_raw(signed.raw)
        seen = watch.wait_for(list(begun))
    return [seen[name] - begin for name, begin in begun.items()]


def _raw_revocation(chain: "Gateway", consortium: "Consortium", member: "Member", sender: "Relay", nonce: int) -> Any:
    from contracts.events import ContractReference

    asked, anchor = (
        consortium.revocation(member),
        ContractReference("ConsentAnchor", consortium.contracts["ConsentAnchor"]),
    )
    values = (member.name, asked.epoch, asked.seq, asked.subjects, asked.signature)
    data = chain.encode(anchor, "revokeConsents", *values)
    return sender.sign(to=anchor.address, data=data, nonce=nonce, gas=GAS, chain_id=chain.chain_id)


@dataclass(frozen=True)
class _Drained:
    """How fast a queue went, through us and raw, and how full everything was meanwhile."""

    rate: float
    raw: float
    limits: dict[str, float]


def _drain(
    bench: _Bench, platform: Platform, consortium: "Consortium", relay: "Relay", *, count: int, measured: int
) -> _Drained:
    """Queue so many acts while no dispatcher runs; measure the first of them, then send their bytes raw."""
    before = sum(member.size for member in consortium.members)
    first = _queue(consortium, count)
    head = bench.chain.head().number
    platform.start("dispatch")
    begun = first_signed(platform, consortium.consortium_id, first)
    used = platform.usage()
    ended = all_projected(platform, consortium.consortium_id, before + measured)
    shares = platform.usage().since(used)
    platform.stop("dispatch")
    limits = _limits(shares, _full_blocks(bench.chain, head + 1))
    rate = measured / (ended - begun)
    say(f"{count:,} queued: {rate:,.0f} acts/s; {_words(limits)}; PostgreSQL {shares['PostgreSQL']:.0%} of a processor")
    raw = _rate_raw(relay, first, measured)
    say(f"{count:,} queued: {raw:,.0f} acts/s raw; load {os.getloadavg()[0]:.1f}")
    return _Drained(rate, raw, limits)


def _queue(consortium: "Consortium", count: int) -> int:
    """Let the members' checkpoints wait in the outbox; return the position of the first."""
    from contracts.models import OutboxTransaction

    say(f"queueing {count:,} acts")
    rows = [consortium.checkpoint(member) for member in islice(cycle(consortium.members), count)]
    OutboxTransaction.objects.bulk_create(rows, batch_size=5_000)
    return OutboxTransaction.objects.filter(state="recorded").order_by("position").values_list("position", flat=True)[0]


def _full_blocks(chain: "Gateway", first: int) -> list[tuple[int, int]]:
    """Gas and number of transactions of each block since, without those in which the work began and ended."""
    found = [
        chain.ask("eth_getBlockByNumber", [hex(number), False]) for number in range(first, chain.head().number + 1)
    ]
    used = [(int(block["gasUsed"], 16), len(block["transactions"])) for block in found if block["transactions"]]
    return used[1:-1] or used


def _limits(shares: Mapping[str, float], blocks: Sequence[tuple[int, int]]) -> dict[str, float]:
    """How full is what can be full, on average; a program that works without rest fills one processor."""
    return {
        "a block's gas": fmean(gas for gas, _ in blocks) / BLOCK_GAS_LIMIT,
        "a lane's 600 acts a block": fmean(acts for _, acts in blocks) / LANE_ACTS,
        "the dispatcher's processor": shares["dispatch"],
        "the projector's processor": shares["project"],
        "the node's processor": shares["node"],
        "all processors of the machine": shares["machine"],
    }


def _words(limits: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {share:.0%}" for name, share in sorted(limits.items(), key=lambda entry: -entry[1]))


def _rate_raw(relay: "Relay", first: int, measured: int) -> float:
    """Acts a second from the first batch to the last block, after all that came before is mined."""
    from contracts.models import OutboxTransaction

    signed = OutboxTransaction.objects.filter(sender=relay.address, raw__isnull=False).order_by("nonce")
    with node_of_one_second() as (node, chain):
        make_blocks_each_second(node)
        before = signed.filter(position__lt=first).values_list("raw", flat=True)
        _send(chain, before)
        _until_mined(chain, relay, len(before))
        raws = list(signed.filter(position__gte=first).values_list("raw", flat=True)[:measured])
        begin = time.perf_counter()
        _send(chain, raws)
        _until_mined(chain, relay, len(before) + len(raws))
        return len(raws) / (time.perf_counter() - begin)


def _send(chain: "Gateway", raws: Iterable[Any]) -> None:
    waiting = [bytes(raw) for raw in raws]
    for first in range(0, len(waiting), MAX_BATCH):
        batch = waiting[first : first + MAX_BATCH]
        if refused := [answer for answer in chain.send_raw_many(batch) if not isinstance(answer, bytes)]:
            raise RuntimeError(f"the node refused raw bytes: {refused[0]}")


def _until_mined(chain: "Gateway", relay: "Relay", number: int) -> None:
    while chain.transaction_count(relay.address) < number:
        time.sleep(0.01)


def _long_queue(
    bench: _Bench, platform: Platform, consortium: "Consortium", relay: "Relay", short: _Drained
) -> Iterator[FigureDict]:
    """The first acts of a long queue, beside those of the short one; and what was full first."""
    drained = _drain(bench, platform, consortium, relay, count=QUEUED, measured=OF_QUEUED)
    name = f"{QUEUED:,} queued acts"
    yield figure(
        f"{name}: queued acts to projected rows", drained.rate, "acts/s", beside=RAW, compared_value=drained.raw
    )
    yield figure(
        f"{name}: the same, beside a short queue",
        drained.rate,
        "acts/s",
        beside=f"{ACTS:,} queued acts",
        compared_value=short.rate,
        at_least=round(STEADY * short.rate),
    )
    first, share = fullest(drained.limits)
    second, next_share = fullest({name: share for name, share in drained.limits.items() if name != first})
    yield figure(f"{name}: full first, {first}", 100 * share, "%", beside=second, compared_value=100 * next_share)
