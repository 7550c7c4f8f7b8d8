"""Everything about one member's part in training, put together from its site."""

import asyncio
import time
import uuid
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from agent.chain import Consortium
from agent.client import PlatformClient
from agent.errors import ContradictionError
from agent.training.aggregating import Aggregating
from agent.training.attempts import Attempts
from agent.training.choices import ChoiceJournal
from agent.training.committing import Committing
from agent.training.incoming import Results
from agent.training.ledger import Ledger
from agent.training.plan_checks import PlanChecks
from agent.training.plan_shelf import PlanShelf
from agent.training.plans import Plans
from agent.training.records import RecordDoor
from agent.training.run_book import RunBook
from agent.training.runner_process import RunnerProcess
from agent.training.runs_folder import RunsFolder
from agent.training.shelf import Shelf
from agent.training.verifying import Verifying

if TYPE_CHECKING:
    from agent.site import Site

# A consortium's contracts are looked at anew, code and rights among it, after so long.
CHECK_SECONDS = 60.0


@dataclass
class TrainingOffice:
    """What the handlers of a round share; made once a process, as `site.training`."""

    site: "Site"
    _ledgers: dict[uuid.UUID, tuple[float, Ledger]] = field(default_factory=dict)
    _checking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @cached_property
    def attempts(self) -> Attempts:
        return Attempts()

    @cached_property
    def plans(self) -> Plans:
        return Plans(self.site.journal, lambda: self.site.configuration.rules, self.plan_shelf)

    @cached_property
    def plan_shelf(self) -> PlanShelf:
        return PlanShelf(self.site.folder.root, self.site.journal)

    @cached_property
    def plan_checks(self) -> PlanChecks:
        return PlanChecks(
            shelf=self.plan_shelf,
            plans=self.plans,
            data_sets=lambda: self.site.consents.data_set_shelf,
            rules=lambda: self.site.configuration.rules,
        )

    @cached_property
    def run_book(self) -> RunBook:
        return RunBook(runs=self.runs, journal=self.site.journal, plans=self.plan_shelf)

    @cached_property
    def results(self) -> Results:
        return Results(self.site.journal)

    @cached_property
    def shelf(self) -> Shelf:
        return Shelf()

    @cached_property
    def runs(self) -> RunsFolder:
        return RunsFolder(self.site.folder)

    @cached_property
    def records(self) -> RecordDoor:
        return RecordDoor(self.site.folder, self.site.journal)

    @cached_property
    def runner(self) -> RunnerProcess:
        return self.site.runner or RunnerProcess()

    @cached_property
    def committing(self) -> Committing:
        return Committing(
            plans=self.plans,
            attempts=self.attempts,
            results=self.results,
            records=self.records,
            runs=self.runs,
            choices=ChoiceJournal(self.site.journal),
            cohorts=lambda: self.site.consents.cohorts,
            anchoring=lambda: self.site.consents.anchoring,
            rules=lambda: self.site.configuration.rules,
            clock=self.site.clock,
        )

    @cached_property
    def aggregating(self) -> Aggregating:
        return Aggregating(
            records=self.records,
            runs=self.runs,
            holds=lambda: self.site.consents.anchoring.holds,
            runner=lambda: self.runner,
        )

    @cached_property
    def verifying(self) -> Verifying:
        return Verifying(self.results, self.shelf)

    async def ledger(self, client: PlatformClient, consortium: uuid.UUID) -> Ledger:
        """Return the ledger of a consortium whose contracts this site has checked lately.

        Raises
        ------
        ContradictionError
            If this member is not in it.
        ChainNotTrustedError, PolicyRefusedError
            If its contracts are not as they must be.
        """
        async with self._checking:
            checked_at, known = self._ledgers.get(consortium, (-CHECK_SECONDS, None))
            if known is None or time.monotonic() - checked_at > CHECK_SECONDS:
                known = await self._check(client, consortium)
                self._ledgers[consortium] = (time.monotonic(), known)
            return known

    def ledger_on(self, checked: Consortium) -> Ledger:
        """Return the ledger of a consortium that was checked a moment ago."""
        return Ledger(
            chain=self.site.chain,
            consortium=checked,
            signer=self.site.signer,
            organization=self.site.configuration.organization,
        )

    async def _check(self, client: PlatformClient, consortium: uuid.UUID) -> Ledger:
        offered = next((one for one in await client.consortia() if one.id == consortium), None)
        if offered is None or offered.chain_id != self.site.configuration.chain_id:
            raise ContradictionError("The platform asks for work of a consortium that this member is not in.")
        named = Consortium(offered.id, offered.name, offered.chain_id, offered.contracts)
        return self.ledger_on(await asyncio.to_thread(self.site.trust.admit, named))
