"""Read the chain's events into the database, until stopped."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from consortium.common.tenancy import act_for_all
from consortium.kernel.errors import ConsiliumError
from contracts.chain import chain_from_settings
from contracts.loops import stop_on_signals, work_until_stopped
from contracts.projector import project_once
from contracts.streams import CHANNEL

# A block is read within this time of its coming.
IDLE_SECONDS = 0.25
NEEDS_A_PERSON = 3


class Command(BaseCommand):
    help = "Read the chain's events into the database, until SIGTERM; exit status 3 where a person has to look."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="make one pass and end")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            chain_from_settings()
            if options["once"]:
                with act_for_all():
                    self.stdout.write(str(project_once()))
                return
            with stop_on_signals() as stop:
                work_until_stopped(_pass, channel=CHANNEL, stop=stop)
        except ConsiliumError as error:
            raise CommandError(f"{error.code}: {error.message}", returncode=NEEDS_A_PERSON) from error


def _pass() -> float:
    report = project_once()
    return 0.0 if report.applied else IDLE_SECONDS
