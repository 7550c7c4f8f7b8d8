"""Send what waits in the outbox, until stopped."""

from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from consortium.common.tenancy import act_for_all
from consortium.kernel.errors import ConsiliumError
from contracts.chain import chain_from_settings
from contracts.dispatcher import Dispatcher, DispatchReport
from contracts.loops import rarely_collecting, stay_until_stopped, stop_on_signals, work_until_stopped
from contracts.outbox import CHANNEL
from contracts.relay import relays_from_settings

# While transactions are under way their receipts are looked for; blocks come every second.
BUSY_SECONDS = 0.2
IDLE_SECONDS = 2.0
NEEDS_A_PERSON = 3


class Command(BaseCommand):
    help = "Send what waits in the outbox to the chain, until SIGTERM; exit status 3 where a person has to look."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="make one pass and end")
        parser.add_argument("--stay", action="store_true", help="where a person has to look, wait for SIGTERM first")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with ThreadPoolExecutor(max_workers=1) as background:
                dispatcher = Dispatcher(chain_from_settings(), *relays_from_settings(), background=background)
                self._work(dispatcher, once=options["once"])
        except ConsiliumError as error:
            if options["stay"]:
                stay_until_stopped(error)
            raise CommandError(f"{error.code}: {error.message}", returncode=NEEDS_A_PERSON) from error

    def _work(self, dispatcher: Dispatcher, *, once: bool) -> None:
        if once:
            with act_for_all():
                self.stdout.write(str(dispatcher.dispatch_once()))
            return
        with stop_on_signals() as stop, rarely_collecting():
            work_until_stopped(lambda: _pass(dispatcher), channel=CHANNEL, stop=stop)


def _pass(dispatcher: Dispatcher) -> float:
    return pause_after(dispatcher, dispatcher.dispatch_once())


def pause_after(dispatcher: Dispatcher, report: DispatchReport) -> float:
    """How many seconds a dispatcher may wait for the outbox's word after a pass."""
    if report.sent or report.confirmed:
        # There may be more, and nonces are free again.
        return 0.0
    return BUSY_SECONDS if dispatcher.is_busy() or not report.is_idle else IDLE_SECONDS
