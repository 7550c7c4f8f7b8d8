"""`chain status`: how the chain is, and how far we are with it."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from django.core.management.base import OutputWrapper

from consortium.common.health import Finding
from consortium.common.tenancy import WrongDatabaseRoleError, act_for_all
from contracts import health
from contracts.models import ChainCursor, ChainEventRecord, OutboxTransaction

HELP = "Show how the chain, the outbox and the projector are."
DESCRIPTION = HELP + " Exit status 1 if any is not well, for monitoring."
MAX_FAULTS = 20


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def handle(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    found = [health.chain(), health.outbox(), health.projector()]
    faults = _faults()
    if options["json"]:
        out.write(json.dumps({"findings": [asdict(f) for f in found], "faults": faults}, indent=2))
    else:
        _write(out, found, faults)
    if not all(finding.well for finding in found):
        raise SystemExit(1)


def _write(out: OutputWrapper, found: list[Finding], faults: list[str]) -> None:
    for finding in found:
        out.write(f"{'well ' if finding.well else 'WRONG'}  {finding.name}: {finding.text}")
        if not finding.well:
            out.write(f"       {finding.remedy}")
    for fault in faults:
        out.write(f"       {fault}")


def _faults() -> list[str]:
    """What stands still, in words: for the system's role, which alone sees the rows of all consortia."""
    try:
        with act_for_all():
            halted = ChainCursor.objects.exclude(halted_text="")[:MAX_FAULTS]
            events = ChainEventRecord.objects.filter(applied_at__isnull=True).exclude(failed_text="")[:MAX_FAULTS]
            outcomes = OutboxTransaction.objects.filter(outcome_delivered_at__isnull=True).exclude(outcome_error="")
            return [
                *(f"stream {cursor.pk}: {cursor.halted_text}" for cursor in halted),
                *(f"{event}, attempt {event.attempts}: {event.failed_text}" for event in events),
                *(f"outcome of {row}: {row.outcome_error}" for row in outcomes[:MAX_FAULTS]),
            ]
    except WrongDatabaseRoleError:
        return []
