"""Where a guardian's vetoes are laid out: acts that the platform names, as the member's own node shows them."""

import asyncio
import uuid
from dataclasses import dataclass
from functools import partial

from agent.client import OfferedBallot, PlatformClient
from agent.courier import Courier
from agent.desk import BallotDesk
from agent.errors import NotOpenError
from agent.letters import Letter
from agent.people import Person
from agent.vetoes import PreparedVeto, Vetoes, WaitingAct
from consortium.kernel.errors import ConsiliumError


@dataclass(frozen=True, slots=True)
class LaidOutVeto:
    """An act that waits, with what would be signed against it; or why it cannot be shown."""

    offered: OfferedBallot
    act: WaitingAct | None = None
    prepared: PreparedVeto | None = None
    given: Letter | None = None
    trouble: str = ""


class VetoDesk:
    """Reads, lays out and signs the vetoes of one member."""

    def __init__(self, *, client: PlatformClient, courier: Courier, desk: BallotDesk, vetoes: Vetoes) -> None:
        self._client = client
        self._courier = courier
        self._desk = desk
        self._vetoes = vetoes

    async def waiting(self) -> list[LaidOutVeto]:
        """Lay out every act that waits and that this member may veto; one that is in doubt says so instead."""
        return [await self._lay_out_or_say_why(one) for one in await self._client.vetoes()]

    async def read(self, proposal: uuid.UUID) -> LaidOutVeto:
        """Lay out one act.

        Raises
        ------
        NotOpenError
            If the platform names no such act, or the chain does not know it.
        ContradictionError
            If the chain would carry out something else than the act's kind says.
        """
        offered = next((one for one in await self._client.vetoes() if one.proposal == proposal), None)
        if offered is None:
            raise NotOpenError("No such act waits, or this member is no guardian of its consortium.")
        return await self._lay_out(offered)

    async def sign(self, *, proposal: uuid.UUID, reason: str, person: Person, digest: bytes) -> tuple[Letter, bool]:
        """Sign against an act and hand it over; the second value tells whether the platform has it yet."""
        laid_out = await self.read(proposal)
        if laid_out.act is None:
            raise NotOpenError(laid_out.trouble)
        sign = partial(self._vetoes.sign, offered=laid_out.offered, act=laid_out.act, reason=reason, person=person)
        letter = await asyncio.to_thread(sign, digest=digest)
        return letter, await self._courier.deliver(letter)

    async def _lay_out_or_say_why(self, offered: OfferedBallot) -> LaidOutVeto:
        try:
            return await self._lay_out(offered)
        except ConsiliumError as error:
            return LaidOutVeto(offered, trouble=error.message)

    async def _lay_out(self, offered: OfferedBallot) -> LaidOutVeto:
        consortium = await self._desk.consortium(offered.consortium)
        await self._desk.learn_names(consortium, offered)
        act = await asyncio.to_thread(self._vetoes.read, consortium, offered.proposal_id)
        prepared = await asyncio.to_thread(self._vetoes.prepare, act)
        return LaidOutVeto(offered, act, prepared, await asyncio.to_thread(self._vetoes.given, act))
