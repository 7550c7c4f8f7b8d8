"""`chain status`: how the chain is, and how far we are with it."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.core.management.base import OutputWrapper
from django.db import DatabaseError

from consortium.common.health import Finding
from consortium.common.tenancy import WrongDatabaseRoleError, act_for_all
from consortium.kernel.errors import ConsiliumError
from contracts import health
from contracts.chain import chain_from_settings
from contracts.models import BlockProof, ChainCursor, ChainEventRecord, OutboxTransaction, RelayAccount
from contracts.network.points import Point, State, lines_of
from contracts.network.status import network_status
from contracts.network.watching import watch_from_settings

HELP = "Show how chain, nodes, validators, peers, outbox and projector are."
DESCRIPTION = (
    HELP + " Exit status 1 if anything is wrong, for monitoring; what cannot be seen from here is said and is no "
    "fault. The age of the newest block is the only sign of a network without quorum."
)
MAX_FAULTS = 20


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def handle(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    status = read_status()
    out.write(json.dumps(status.document(), indent=2) if options["json"] else "\n".join(status.lines()))
    if not status.is_well:
        raise SystemExit(1)


@dataclass(frozen=True)
class ChainStatus:
    """Our own flow, the network, and what stands still."""

    findings: list[Finding]
    network: list[Point]
    faults: list[str]

    @property
    def is_well(self) -> bool:
        return all(f.well for f in self.findings) and all(p.state is not State.WRONG for p in self.network)

    def document(self) -> dict[str, Any]:
        """The same for programs."""
        return {
            "well": self.is_well,
            "findings": [asdict(finding) for finding in self.findings],
            "network": [asdict(point) for point in self.network],
            "faults": self.faults,
        }

    def lines(self) -> list[str]:
        """The same for people."""
        lines = [line for point in (*map(_point, self.findings), *self.network) for line in lines_of(point)]
        return [*lines, *(f"       {fault}" for fault in self.faults)]


def read_status() -> ChainStatus:
    """Look once at everything that this process may see; nothing is raised."""
    found = [health.chain(), health.outbox(), health.lanes(), health.projector(), health.proofs()]
    return ChainStatus(found, _network(), _faults())


def _network() -> list[Point]:
    if not settings.CHAIN_RPC_URL:
        return []
    try:
        return network_status(watch_from_settings(chain_from_settings(timeout_seconds=health.PROBE_SECONDS)))
    except ConsiliumError as error:
        return [Point("network", State.UNKNOWN, error.message, "Correct CHAIN_RPC_URL and CHAIN_OPERATIONS_URL.")]


def _point(finding: Finding) -> Point:
    return Point(finding.name, State.WELL if finding.well else State.WRONG, finding.text, finding.remedy)


def _faults() -> list[str]:
    """What stands still, in words: for the system's role, which alone sees the rows of all consortia."""
    try:
        with act_for_all():
            halted = ChainCursor.objects.exclude(halted_text="")[:MAX_FAULTS]
            events = ChainEventRecord.objects.filter(retry_at__isnull=False)[:MAX_FAULTS]
            outcomes = OutboxTransaction.objects.filter(outcome_delivered_at__isnull=True).exclude(outcome_error="")
            proofs = BlockProof.objects.filter(captured_at__isnull=True).exclude(missing_text="")[:MAX_FAULTS]
            stuck = RelayAccount.objects.exclude(stuck_code="")[:MAX_FAULTS]
            return [
                *(f"relay account {account}: {account.stuck_text}" for account in stuck),
                *(f"stream {cursor.pk}: {cursor.halted_text}" for cursor in halted),
                *(f"{event}, attempt {event.attempts}: {event.failed_text}" for event in events),
                *(f"proof of {proof}: {proof.missing_text}" for proof in proofs),
                *(f"outcome of {row}: {row.outcome_error}" for row in outcomes[:MAX_FAULTS]),
            ]
    except (WrongDatabaseRoleError, DatabaseError):
        # That the database does not answer is a finding already.
        return []
