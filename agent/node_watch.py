"""Reconciling without end: at each event of a registry, and at least every half minute."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Protocol

from agent.client import OfferedConsortium
from agent.errors import ReconcilerBusyError
from agent.node_keeper import LOOK_SECONDS, NodeKeeper
from agent.node_word import platforms_offers
from agent.witness import Checker
from consortium.kernel.errors import ConsiliumError
from contracts.network.points import State
from contracts.network.reconciling.offers import Offers
from contracts.reconciler import Outcome

logger = logging.getLogger(__name__)
POLL_SECONDS = 2.0


class Platform(Protocol):
    """What is asked of the platform; `agent.client.PlatformClient` is the real one."""

    async def consortia(self) -> list[OfferedConsortium]: ...


class NodeWatch:
    """One site's loop; `run` ends only by cancellation. Without the platform it goes on with what it knows."""

    def __init__(
        self,
        keeper: NodeKeeper,
        platform: Platform,
        checker: Checker,
        *,
        told: Callable[[Outcome], None] = lambda outcome: None,
        poll_seconds: float = POLL_SECONDS,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._keeper = keeper
        self._platform = platform
        self._checker = checker
        self._told = told
        self._poll_seconds = poll_seconds
        self._look_seconds = look_seconds
        self._offers = Offers()

    async def run(self) -> None:
        looked_at, is_waiting = float("-inf"), False
        while True:
            is_due = is_waiting or time.monotonic() - looked_at >= self._look_seconds
            if is_due or await asyncio.to_thread(self._keeper.has_news):
                outcome = await self.look()
                looked_at, is_waiting = time.monotonic(), outcome is not None and _waits(outcome)
            await asyncio.sleep(self._poll_seconds)

    async def look(self, *, accepted: int = 0) -> Outcome | None:
        """Look once; None where another process of this site does."""
        await self._ask_platform()
        try:
            outcome = await asyncio.to_thread(self._keeper.look, self._offers, accepted=accepted)
        except ReconcilerBusyError:
            return None
        self._told(outcome)
        return outcome

    async def _ask_platform(self) -> None:
        """Take the platform's word of where nodes are, and have contracts checked that are not pinned yet."""
        try:
            offered = await self._platform.consortia()
        except ConsiliumError as error:
            logger.info("Reconciling without the platform: %s", error.message)
            return
        self._offers = platforms_offers([node for one in offered for node in one.nodes])
        for one in offered:
            if self._keeper.has_pinned(one.id):
                continue
            try:
                await self._checker.consortium(one.id)
            except ConsiliumError as error:
                logger.warning("Not reconciled for %s: %s", one.id, error.message)


def _waits(outcome: Outcome) -> bool:
    """Whether the node is about to have the block at which the registry was read."""
    return any(point.name == "removals" and point.state is State.WAITING for point in outcome.points)
