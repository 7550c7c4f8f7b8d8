"""Where a voter's ballots are laid out: what the platform names, as the member's own node shows it."""

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from agent.ballots import Ballots, Choice, Prepared
from agent.chain import Chain, Consortium
from agent.chain_check import Trust
from agent.client import OfferedBallot, OfferedConsortium, PlatformClient
from agent.courier import Courier
from agent.documents import MAX_DOCUMENT_BYTES, require_named
from agent.errors import ContradictionError, NotOpenError
from agent.letters import Letter
from agent.names import learn_name, profile_of
from agent.people import Person
from agent.questions import GOVERNOR, Question
from consortium.kernel.errors import ConsiliumError

# A page lays out several ballots of one consortium; its contracts are looked at once for all of them.
CHECK_SECONDS = 5.0
PLAN_KIND = "ApprovePlan"


@dataclass(frozen=True, slots=True)
class LaidOut:
    """A waiting ballot: the question, or why it cannot be shown."""

    offered: OfferedBallot
    question: Question | None = None
    prepared: tuple[Prepared, ...] = ()
    given: Choice | None = None
    description: str = ""
    document: bytes = b""
    trouble: str = ""


class BallotDesk:
    """Reads, lays out and casts the ballots of one member."""

    def __init__(
        self, *, client: PlatformClient, courier: Courier, ballots: Ballots, trust: Trust, chain: Chain, chain_id: int
    ) -> None:
        self._client = client
        self._courier = courier
        self._ballots = ballots
        self._trust = trust
        self._chain = chain
        self._chain_id = chain_id
        self._checked: dict[tuple[uuid.UUID, tuple[tuple[str, str], ...]], tuple[float, Consortium]] = {}

    @property
    def client(self) -> PlatformClient:
        """The way to the platform, for what is laid out beside ballots."""
        return self._client

    async def waiting(self) -> list[LaidOut]:
        """Lay out every ballot that the platform says is waiting; one that is in doubt says so instead.

        A plan comes with its document, by whose title people tell it from another one.
        """
        offered, consortia = await asyncio.gather(self._client.ballots(), self._client.consortia())
        known = {consortium.id: consortium for consortium in consortia}
        return [await self._lay_out_or_say_why(ballot, known) for ballot in offered]

    async def read(self, proposal: uuid.UUID) -> LaidOut:
        """Lay out one ballot, with its document.

        Raises
        ------
        NotOpenError
            If the platform names no such ballot, or the chain does not know it.
        ContradictionError
            If platform and chain disagree, or the document is not the one that the chain names.
        """
        offered, consortia = await asyncio.gather(self._client.ballots(), self._client.consortia())
        ballot = next((one for one in offered if one.proposal == proposal), None)
        if ballot is None:
            raise NotOpenError("No such ballot waits for this member.")
        return await self._lay_out(ballot, {consortium.id: consortium for consortium in consortia}, with_document=True)

    async def cast(self, *, proposal: uuid.UUID, choice: Choice, person: Person, digest: bytes) -> tuple[Letter, bool]:
        """Sign a ballot and hand it over; the second value tells whether the platform has it yet."""
        laid_out = await self.read(proposal)
        question = laid_out.question
        if question is None:
            raise NotOpenError("No such ballot waits for this member.")
        offered = laid_out.offered
        cast = partial(self._ballots.cast, offered=offered, question=question, choice=choice, person=person)
        letter = await asyncio.to_thread(cast, digest=digest)
        return letter, await self._courier.deliver(letter)

    async def offered_ballots(self) -> list[OfferedBallot]:
        """Return the ballots as the platform names them, unread."""
        return await self._client.ballots()

    async def document(self, digest: str, *, largest: int = MAX_DOCUMENT_BYTES) -> bytes:
        """Return the bytes of a digest; `ContradictionError` if the platform sends others."""
        return await self._client.blob(digest, largest=largest)

    async def offered_consortia(self) -> list[OfferedConsortium]:
        """Return the consortia as the platform names them, unchecked."""
        return await self._client.consortia()

    async def consortium(self, identity: uuid.UUID) -> Consortium:
        """Return one of the member's consortia, checked on its own node."""
        known = {consortium.id: consortium for consortium in await self._client.consortia()}
        return await asyncio.to_thread(self._admit, identity, known)

    async def _lay_out_or_say_why(
        self, offered: OfferedBallot, known: Mapping[uuid.UUID, OfferedConsortium]
    ) -> LaidOut:
        try:
            return await self._lay_out(offered, known, with_document=False)
        except ConsiliumError as error:
            return LaidOut(offered, trouble=error.message)

    async def _lay_out(
        self, offered: OfferedBallot, known: Mapping[uuid.UUID, OfferedConsortium], *, with_document: bool
    ) -> LaidOut:
        consortium = await asyncio.to_thread(self._admit, offered.consortium, known)
        await self.learn_names(consortium, offered)
        question = await asyncio.to_thread(self._question, consortium, offered)
        is_wanted = bool(offered.document_digest) and (with_document or question.kind == PLAN_KIND)
        document = await self._document(offered, question) if is_wanted else b""
        prepared = await asyncio.to_thread(lambda: tuple(self._ballots.prepare(question, choice) for choice in Choice))
        # The proposer's words are on the chain as a hash; the platform's copy shows only if it is those very words.
        description = offered.title if question.description_is(offered.title) else ""
        return LaidOut(offered, question, prepared, self._ballots.given(question), description, document)

    def _admit(self, identity: uuid.UUID, known: Mapping[uuid.UUID, OfferedConsortium]) -> Consortium:
        if (offered := known.get(identity)) is None:
            raise ContradictionError("The ballot is of a consortium that this member is not in.")
        if offered.chain_id != self._chain_id:
            raise ContradictionError("The platform names another chain than this site is set up for.")
        key = (identity, tuple(sorted(offered.contracts.items())))
        checked_at, checked = self._checked.get(key, (-CHECK_SECONDS, None))
        if checked is None or time.monotonic() - checked_at > CHECK_SECONDS:
            checked = self._trust.admit(Consortium(offered.id, offered.name, offered.chain_id, offered.contracts))
            self._checked = {key: (time.monotonic(), checked)}
        return checked

    def _question(self, consortium: Consortium, offered: OfferedBallot) -> Question:
        question = self._ballots.reader.read(consortium, offered.contract, offered.proposal_id)
        self._ballots.require_agreement(offered, question)
        return question

    async def learn_names(self, consortium: Consortium, offered: OfferedBallot) -> None:
        """Learn what the organizations of a ballot are called before its sentence is made."""
        question = await asyncio.to_thread(self._ballots.reader.read, consortium, offered.contract, offered.proposal_id)
        concerned = {question.subject} if question.contract == GOVERNOR else set(question.owners)
        organizations = {question.author} | concerned
        for organization in organizations - {b""}:
            profile = await asyncio.to_thread(profile_of, self._chain, consortium, organization)
            profile = profile if any(profile) else question.profile
            await learn_name(self._ballots.reader.names, self._client, organization, profile)

    async def _document(self, offered: OfferedBallot, question: Question) -> bytes:
        content = await self._client.blob(offered.document_digest, largest=MAX_DOCUMENT_BYTES)
        await asyncio.to_thread(require_named, self._chain, question, content)
        return content
