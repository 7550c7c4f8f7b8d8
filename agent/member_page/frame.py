"""What stands above every page: the agent's state in one line, and how much waits behind each tab."""

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

from agent.consents.overview import Numbers
from agent.desk import BallotDesk
from agent.site import Site
from agent.training.plan_checks import Stage
from consortium.kernel.errors import ConsiliumError

# A page is asked for often, a node and a platform need not be.
NODE_SECONDS = 1.0
COUNT_SECONDS = 10.0
# Nobody waits for a page because something else is away.
PATIENCE_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Node:
    """The own node's newest block, or why there is none."""

    number: int = 0
    age: int = 0
    is_well: bool = False
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class FrameState:
    """The frame of one page."""

    node: Node
    counts: dict[str, int]
    numbers: Numbers | None


@dataclass
class Frame:
    """Looks at node, platform and store, and remembers for a moment what it saw."""

    site: Site
    desk: BallotDesk
    _node: tuple[float, Node] | None = None
    _counts: tuple[float, dict[str, int]] | None = None
    _looking: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def state(self) -> FrameState:
        """Return the frame; never raises for something that is away."""
        async with self._looking:
            moment = time.monotonic()
            if self._node is None or moment - self._node[0] > NODE_SECONDS:
                self._node = (moment, await self._look_at_node())
            if self._counts is None or moment - self._counts[0] > COUNT_SECONDS:
                self._counts = (moment, await self._count())
            return FrameState(self._node[1], self._counts[1], self.site.consents.overview.glance())

    def forget(self) -> None:
        """Count anew for the next page: something was done."""
        self._counts = None

    async def _look_at_node(self) -> Node:
        try:
            head = await asyncio.wait_for(asyncio.to_thread(self.site.chain.head), PATIENCE_SECONDS)
        except ConsiliumError as error:
            return Node(trouble=error.message)
        except TimeoutError:
            return Node(trouble="Your node does not answer.")
        age = max(int(self.site.clock().timestamp()) - head.time, 0)
        return Node(head.number, age, age <= self.site.configuration.rules.max_head_age_seconds)

    async def _count(self) -> dict[str, int]:
        ballots, plans = await asyncio.gather(self._ballots(), self._plans())
        withdrawals = await asyncio.to_thread(self.site.consents.overview.waiting)
        return {"/": ballots, "/consents": withdrawals, "/plans": plans}

    async def _ballots(self) -> int:
        offered = await _patiently(self.desk.offered_ballots())
        decided = await asyncio.to_thread(self.site.ballot_history.decided)
        return sum(ballot.proposal_id not in decided for ballot in offered or ())

    async def _plans(self) -> int:
        """Only a rule that has plans wait makes anybody wait."""
        if not self.site.configuration.rules.plans_by_hand:
            return 0
        training = self.site.training

        async def ledger_of(consortium: Any) -> Any:
            return training.ledger_on(await self.desk.consortium(consortium))

        found = await _patiently(training.plan_checks.all(ledger_of))
        return sum(one.stage is Stage.WAITS for one in found or ())


async def _patiently(question: Any) -> Any:
    try:
        return await asyncio.wait_for(question, PATIENCE_SECONDS)
    except (ConsiliumError, TimeoutError):
        return None
