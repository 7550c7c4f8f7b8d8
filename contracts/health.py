"""Is the chain well, does the outbox flow, do the events arrive: asked by probes and by `manage.py doctor`."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from consortium.common.health import Finding, health_check
from consortium.kernel.errors import ConsiliumError
from contracts.chain import chain_from_settings
from contracts.models import StuckCode

# A frozen network still answers everything else: only the age of its head tells (facts of a QBFT network).
MAX_HEAD_AGE_SECONDS = 30
MAX_UNSENT_SECONDS = 60
MAX_UNDER_WAY_SECONDS = 120
# A probe has little time; a node beside us answers within milliseconds.
PROBE_SECONDS = 2.0
MAX_LAG_BLOCKS = 20
# A node that fell behind, or was restarted, has given it by then.
MAX_MISSING_SECONDS = 300


@dataclass(frozen=True)
class Flow:
    """Ages and counts of outbox and streams, over all consortia; nothing of what is in them."""

    oldest_unsent: datetime | None
    oldest_in_flight: datetime | None
    unsent: int
    in_flight: int
    faulty_outcomes: int
    streams: int
    lowest_position: int | None
    failed_streams: int


def read_flow() -> Flow:
    """Ask the database, also as a role that sees no tenant's row."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM consilium_chain_health()")
        return Flow(*cursor.fetchone())


@health_check("chain")
def chain() -> Finding:
    if not settings.CHAIN_RPC_URL:
        return Finding("chain", False, "No chain is named.", "Set CHAIN_RPC_URL and CHAIN_ID.")
    try:
        door = chain_from_settings(timeout_seconds=PROBE_SECONDS)
        door.check_chain()
        head = door.head()
    except ConsiliumError as error:
        return Finding("chain", False, error.message, "Start the node, or correct CHAIN_RPC_URL and CHAIN_ID.")
    age = max(0, int(time.time()) - head.time)
    figures = {"height": head.number, "head_age_seconds": age}
    text = f"Block {head.number} is {age} s old."
    if age > MAX_HEAD_AGE_SECONDS:
        return Finding("chain", False, text, "Are two thirds of the validators up? See the runbook.", figures)
    return Finding("chain", True, text, figures=figures)


def _many(count: int, one: str, several: str) -> str:
    return f"{count} {one if count == 1 else several}"


@health_check("outbox")
def outbox() -> Finding:
    try:
        flow = read_flow()
    except DatabaseError as error:
        return _without_database("outbox", error)
    age, under_way = _age(flow.oldest_unsent), _age(flow.oldest_in_flight)
    figures: dict[str, Any] = {
        "unsent": flow.unsent,
        "oldest_unsent_seconds": age,
        "in_flight": flow.in_flight,
        "oldest_in_flight_seconds": under_way,
        "faulty_outcomes": flow.faulty_outcomes,
    }
    text = f"{flow.unsent} transactions wait to be sent, the oldest {age} s; {flow.in_flight} are under way."
    if flow.faulty_outcomes:
        return Finding("outbox", False, f"{flow.faulty_outcomes} outcomes cannot be delivered.", _READ_LOG, figures)
    if age > MAX_UNSENT_SECONDS:
        return Finding("outbox", False, text, "Is `manage.py dispatch` running, and the chain well?", figures)
    if under_way > MAX_UNDER_WAY_SECONDS:
        text = f"A transaction is under way for {under_way} s."
        return Finding("outbox", False, text, "Does the chain make blocks? Read the dispatcher's log.", figures)
    return Finding("outbox", True, text, figures=figures)


@dataclass(frozen=True)
class LaneState:
    """How a relay account is; `stuck_code` is empty while it moves."""

    address: str
    in_flight: int
    stuck_code: str
    stuck_since: datetime | None


def read_lanes() -> list[LaneState]:
    """Ask the database, also as a role that sees no account's row."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM consilium_lanes()")
        return [LaneState(*row) for row in cursor.fetchall()]


@health_check("lanes")
def lanes() -> Finding:
    try:
        found = read_lanes()
    except DatabaseError as error:
        return _without_database("lanes", error)
    stuck = [lane for lane in found if lane.stuck_code]
    figures = {"lanes": len(found), "stuck": len(stuck)}
    if not stuck:
        return Finding(
            "lanes", True, _many(len(found), "relay account sends.", "relay accounts send."), figures=figures
        )
    named = "; ".join(
        f"{lane.address} is stuck for {_age(lane.stuck_since)} s with {lane.in_flight} transactions: "
        f"{StuckCode(lane.stuck_code).label}"
        for lane in stuck
    )
    remedies = " ".join(sorted({_LANE_REMEDIES[StuckCode(lane.stuck_code)] for lane in stuck}))
    return Finding("lanes", False, f"{named}.", remedies, figures)


@health_check("projector")
def projector() -> Finding:
    try:
        flow = read_flow()
    except DatabaseError as error:
        return _without_database("projector", error)
    lag = _lag(flow)
    figures = {"streams": flow.streams, "lag_blocks": lag, "failed_streams": flow.failed_streams}
    if flow.failed_streams:
        text = f"{flow.failed_streams} of {flow.streams} streams of events stand still."
        return Finding("projector", False, text, _READ_LOG, figures)
    text = _many(flow.streams, "stream of events", "streams of events")
    text += f", {_many(lag, 'block', 'blocks')} behind at most." if lag is not None else "."
    if lag is not None and lag > MAX_LAG_BLOCKS:
        return Finding("projector", False, text, "Is `manage.py project` running?", figures)
    return Finding("projector", True, text, figures=figures)


@dataclass(frozen=True)
class Proofs:
    """How many blocks' proofs are kept and how many are missing, over all consortia."""

    captured: int
    missing: int
    missing_since: datetime | None


def read_proofs() -> Proofs:
    """Ask the database, also as a role that sees no tenant's row."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT * FROM consilium_chain_proofs()")
        return Proofs(*cursor.fetchone())


@health_check("proofs")
def proofs() -> Finding:
    try:
        found = read_proofs()
    except DatabaseError as error:
        return _without_database("proofs", error)
    age = _age(found.missing_since)
    figures = {"captured": found.captured, "missing": found.missing, "missing_seconds": age}
    if not found.missing:
        return Finding("proofs", True, f"The proofs of {found.captured} blocks are kept.", figures=figures)
    since = "" if found.missing_since is None else f", the first since {found.missing_since:%Y-%m-%d %H:%M} UTC"
    text = f"{found.missing} blocks lack their proofs{since}; {found.captured} are kept."
    if age <= MAX_MISSING_SECONDS:
        return Finding("proofs", True, text, figures=figures)
    remedy = (
        "Bundles that need them wait. `manage.py chain proofs` says why each is missing, and takes block 0 from "
        "genesis.json; for others name a node in CHAIN_RPC_URL that keeps old states."
    )
    return Finding("proofs", False, text, remedy, figures)


def _age(moment: datetime | None) -> int:
    return int((timezone.now() - moment).total_seconds()) if moment else 0


def _lag(flow: Flow) -> int | None:
    """Blocks between the chain's head and the slowest stream; None where either is not known."""
    if flow.lowest_position is None or not settings.CHAIN_RPC_URL:
        return None
    try:
        return max(0, chain_from_settings(timeout_seconds=PROBE_SECONDS).head().number - flow.lowest_position)
    except ConsiliumError:
        # The check of the chain says so.
        return None


def _without_database(name: str, error: DatabaseError) -> Finding:
    text = f"PostgreSQL does not answer: {type(error).__name__}."
    return Finding(name, False, text, "Start the database, or correct DATABASE_URL.")


# What the dispatcher cannot do by itself; the operator's guide says why nothing is signed anew meanwhile.
_LANE_REMEDIES = {
    StuckCode.NOT_AUTHORIZED: "Put the account on the allow list of every node; what it signed is sent again then.",
    StuckCode.NONCE_HELD: (
        "Somebody else signs with this key: replace it (see the guide). Restart the nodes without a saved pool, "
        "or give the account a balance, so that the foreign transaction goes."
    ),
    StuckCode.NOT_MINED: "Ask the validators' operators for --min-gas-price=0 and their allow lists.",
    StuckCode.NOT_SIGNED: "`manage.py chain status` says what the signer answers; the lane moves again by itself.",
}
_READ_LOG = "Read the rows' fault with `manage.py chain status`, and the program's log."
