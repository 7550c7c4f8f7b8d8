"""The logs' upkeep and their examination."""

import json
import signal
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict
from threading import Event
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from audit.log.anchors import CONTRACT, anchored_roots
from audit.log.checks.findings import Report
from audit.log.fsck import fsck
from audit.log.keys import verifier_of
from audit.log.upkeep import keep_up
from audit.models import AuditLog
from consortium.common.tenancy import act_for_all
from consortium.kernel.eip712 import Domain
from consortium.kernel.errors import ConsiliumError
from consortium.kernel.notes import NoteKey
from contracts.models import ContractDeployment

_SHOWN = 20


class Command(BaseCommand):
    help = "Integrate records, sign checkpoints, or re-derive the logs and name what contradicts them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        acts = parser.add_subparsers(dest="act", required=True)
        for name, text in (("integrate", "give waiting records their leaves"), ("checkpoint", "and sign what grew")):
            turn = acts.add_parser(name, help=text)
            turn.add_argument("--every", type=float, metavar="SECONDS", help="go on until told to stop")
        check = acts.add_parser(
            "fsck", help="re-derive leaves, nodes, roots and checkpoints; exit status 1 if any differs"
        )
        check.add_argument("--log", metavar="ORIGIN", help="one log; all of them by default")
        check.add_argument("--key", metavar="KEY", help="with --log: its verifier key, from a trust file")
        check.add_argument("--json", action="store_true", help="print the reports as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["act"] == "fsck":
                self._fsck(options)
            else:
                self._keep_up(sign=options["act"] == "checkpoint", every=options["every"])
        except ConsiliumError as error:
            raise CommandError(error.message) from error

    def _keep_up(self, *, sign: bool, every: float | None) -> None:
        stop = Event()
        if every is not None:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        while True:
            done = keep_up(sign=sign)
            if done.integrated or done.signed or every is None:
                self.stdout.write(f"{done.integrated} records integrated, {len(done.signed)} checkpoints signed.")
            if every is None or stop.wait(every):
                return

    def _fsck(self, options: Mapping[str, Any]) -> None:
        reports = [_examine(log, options["key"]) for log in _logs(options["log"])]
        if options["json"]:
            self.stdout.write(json.dumps([asdict(report) for report in reports], indent=2, default=str))
        else:
            for report in reports:
                self._show(report)
        if not all(report.well for report in reports):
            raise SystemExit(1)

    def _show(self, report: Report) -> None:
        checked = f"{report.leaves} leaves, {report.checkpoints} checkpoints, {report.anchors} anchors"
        self.stdout.write(f"{'well ' if report.well else 'WRONG'}  {report.origin}: {checked}")
        if report.first is not None:
            self.stdout.write(f"       first: {report.first.text}")
        for finding in report.findings[:_SHOWN]:
            self.stdout.write(f"       {finding.code}: {finding.text}")
        if (more := len(report.findings) - _SHOWN) > 0:
            self.stdout.write(f"       and {more} more")


def _logs(origin: str | None) -> list[AuditLog]:
    with transaction.atomic(), act_for_all():
        logs = AuditLog.objects.all()
        found = list(logs if origin is None else logs.filter(origin=origin))
    if origin is not None and not found:
        raise CommandError(f"There is no log {origin}. Without --log all are examined and named.")
    return found


def _examine(log: AuditLog, key: str | None) -> Report:
    with transaction.atomic(), act_for_all():
        anchored = anchored_roots(log)
        domains = _domains()
    return fsck(log, key=NoteKey.parse(key) if key else verifier_of(log), anchored=anchored, domains=domains)


def _domains() -> dict[UUID, Domain]:
    found = ContractDeployment.objects.filter(name=CONTRACT)
    return {row.consortium_id: Domain(CONTRACT, settings.CHAIN_ID, row.address) for row in found}
