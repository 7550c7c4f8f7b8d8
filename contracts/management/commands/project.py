"""Read the chain's events into the database, until stopped."""

import contextlib
import time
from argparse import ArgumentParser
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from consortium.common.tenancy import act_for_all
from consortium.kernel.errors import ConsiliumError
from contracts.chain import chain_from_settings, tokens_from_settings
from contracts.errors import ChainError
from contracts.events import BlockHeader
from contracts.interface import Chain
from contracts.loops import rarely_collecting, stay_until_stopped, stop_on_signals, work_until_stopped
from contracts.projector import project_once
from contracts.reading.proof_keeping import sweep_proofs
from contracts.reading.streams import CHANNEL
from contracts.rpc.heads import HeadListener

# A block is seen within this time of its coming: a look is one short request, and no query.
LOOK_SECONDS = 0.1
# Without a new block the streams have their turn all the same: one may begin, or have waited after a fault.
IDLE_SECONDS = 0.5
# Between two looks for proofs that a node could not give.
SWEEP_SECONDS = 60.0
NEEDS_A_PERSON = 3


class Command(BaseCommand):
    help = "Read the chain's events into the database, until SIGTERM; exit status 3 where a person has to look."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--once", action="store_true", help="make one pass and end")
        parser.add_argument("--stay", action="store_true", help="where a person has to look, wait for SIGTERM first")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            chain = chain_from_settings()
            if options["once"]:
                with act_for_all():
                    self.stdout.write(str(project_once()))
                return
            with stop_on_signals() as stop, rarely_collecting(), _heads() as heads:
                work_until_stopped(_Follower(chain, heads).follow, channel=CHANNEL, stop=stop)
        except ConsiliumError as error:
            if options["stay"]:
                stay_until_stopped(error)
            raise CommandError(f"{error.code}: {error.message}", returncode=NEEDS_A_PERSON) from error


@contextlib.contextmanager
def _heads() -> Iterator[HeadListener | None]:
    """The web socket of CHAIN_WS_URL, if one is named; it is the first node's, and takes that one's token."""
    if not settings.CHAIN_WS_URL:
        yield None
        return
    listener = HeadListener(settings.CHAIN_WS_URL, tokens=tokens_from_settings()[0]).start()
    try:
        yield listener
    finally:
        listener.stop()


@dataclass
class _Follower:
    """Projects at each new block: told of it by a web socket where one is named and open, else by looking."""

    chain: Chain
    heads: HeadListener | None = None
    seen: BlockHeader | None = None
    # Monotonic; the first sweep comes with the first pass, and notes what was read before proofs were kept.
    swept: float | None = None

    def follow(self) -> float:
        """Wait for a block, a little, and project; there is nothing more to wait for then."""
        self.seen = self._next_head()
        while project_once().applied:
            pass
        self._sweep()
        return 0.0

    def _sweep(self) -> None:
        now = time.monotonic()
        if self.swept is None or now - self.swept >= SWEEP_SECONDS:
            sweep_proofs(self.chain, with_history=self.swept is None)
            self.swept = now

    def _next_head(self) -> BlockHeader | None:
        deadline = time.monotonic() + IDLE_SECONDS
        while time.monotonic() < deadline:
            try:
                if (head := self.chain.head()) != self.seen:
                    return head
            except ChainError:
                # The pass itself meets the fault, after it has applied what is stored.
                return None
            self._wait()
        return self.seen

    def _wait(self) -> None:
        if self.heads is not None and self.heads.is_listening:
            self.heads.wait(IDLE_SECONDS)
        else:
            time.sleep(LOOK_SECONDS)
