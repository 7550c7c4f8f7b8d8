"""The agent's round about consents: takes withdrawals in, signs what is due, carries what is signed."""

import asyncio
import logging
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from agent import problems
from agent.chain import Consortium
from agent.client import PREFIX, PlatformClient
from agent.consents.epochs import Step
from agent.consents.office import ConsentOffice
from agent.consents.withdrawals import WithdrawalRequest
from agent.errors import PlatformAwayError
from agent.pauses import Backoff
from consortium.kernel.errors import ConsiliumError

logger = logging.getLogger(__name__)
# A withdrawal is taken in within this time, and on the chain two blocks later.
ROUND_SECONDS = 1.0
# The contracts of a consortium are checked anew after this many rounds.
CHECK_ROUNDS = 60
_MAX_CONSENTS = 256


class ConsentLoop:
    """One member's round; `run` ends only by cancellation."""

    def __init__(self, office: ConsentOffice, client: PlatformClient) -> None:
        self._office = office
        self._client = client
        self._consortia: list[Consortium] = []
        self._rounds = 0

    async def run(self) -> None:
        """Go round until canceled; a fault is logged and tried again."""
        await asyncio.to_thread(self._office.eraser.replay)
        backoff = Backoff()
        while True:
            try:
                await self.go_round()
            except ConsiliumError as error:
                logger.warning("consents: %s", error.message)
                await backoff.pause()
            else:
                backoff.reset()
            await asyncio.sleep(ROUND_SECONDS)

    async def go_round(self) -> dict[uuid.UUID, Step]:
        """Make one round; return what was done for each consortium."""
        trouble: ConsiliumError | None = None
        try:
            await self._learn_consortia()
            await self.take_withdrawals()
        except ConsiliumError as error:
            # The member's own doors go on while the platform is away: what is due is signed and waits.
            trouble = error
        await asyncio.to_thread(self._roll_copy)
        steps: dict[uuid.UUID, Step] = {}
        for consortium in self._consortia:
            try:
                steps[consortium.id] = await asyncio.to_thread(self._office.anchoring.advance, consortium)
            except ConsiliumError as error:
                trouble = error
        await self._office.mail.deliver(self._client)
        if trouble is not None:
            raise trouble
        return steps

    async def take_withdrawals(self) -> int:
        """Take in what was withdrawn through the platform; return how many were new here."""
        answer = await self._client.get(f"{PREFIX}/consents/withdrawals")
        requests = [_request(item) for item in problems.read_results(answer)]
        taken = [await asyncio.to_thread(self._office.withdrawals.withdraw, request) for request in requests]
        return sum(one.is_new for one in taken)

    async def _learn_consortia(self) -> None:
        if self._consortia and self._rounds % CHECK_ROUNDS:
            self._rounds += 1
            return
        offered = [one for one in await self._client.consortia() if one.status == "active"]
        checked = [await asyncio.to_thread(self._office.checked, one) for one in offered]
        for consortium in checked:
            await asyncio.to_thread(self._office.store.join, consortium.id)
        self._consortia = checked
        self._rounds = 1

    def _roll_copy(self) -> None:
        today = datetime.now(UTC).date()
        folder = self._office.site.folder.salts / "salts-copies"
        if not (folder / f"salts-{today.isoformat()}.sqlite").exists():
            self._office.vault.roll_copy(folder, today)


def _request(item: Mapping[str, Any]) -> WithdrawalRequest:
    consents = item.get("consents")
    if not isinstance(consents, list) or len(consents) > _MAX_CONSENTS or not all(type(c) is str for c in consents):
        raise PlatformAwayError("The platform's withdrawal names no consents.")
    return WithdrawalRequest(
        pseudonym=problems.text(item, "pseudonym", longest=64),
        reason=problems.text(item, "reason", longest=20),
        consents=tuple(consents),
        id=problems.identifier(item, "id"),
    )
