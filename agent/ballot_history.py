"""The ballots that this member has given, from its own journal, and how far each has come."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from agent.chain import Chain
from agent.journal import Entry, Journal
from agent.letters import Letters
from agent.questions import BOARD, GOVERNOR
from consortium.kernel.errors import ConsiliumError
from consortium.kernel.identifiers import from_hex
from contracts.events import ContractReference

KIND = "ballot"


class Way(StrEnum):
    """Where a ballot is."""

    SIGNED = "signed"
    SENT = "sent"
    ON_CHAIN = "on_chain"
    REFUSED = "letter_refused"


@dataclass(frozen=True, slots=True)
class GivenBallot:
    """A ballot as it was signed; `proposal` is the platform's number, `block` where the node showed it (0: not yet)."""

    digest: str
    sentence: str
    choice: str
    person: str
    time: str
    proposal: uuid.UUID | None
    way: Way
    block: int = 0


class BallotHistory:
    """Reads one member's own ballots."""

    def __init__(self, *, journal: Journal, letters: Letters, chain: Chain, organization: bytes) -> None:
        self._journal = journal
        self._letters = letters
        self._chain = chain
        self._organization = organization

    def latest(self, limit: int = 10) -> list[GivenBallot]:
        """Return the ballots given last, newest first."""
        entries = self._journal.select("kind = 'ballot' AND outcome = 'decided'", limit=limit)
        return [self._given(entry) for entry in entries]

    def find(self, digest: str) -> GivenBallot | None:
        """Return the ballot with the digest that was signed."""
        found = self._journal.select("kind = 'ballot' AND outcome = 'decided' AND digest = ?", digest, limit=1)
        return self._given(found[0]) if found else None

    def decided(self) -> frozenset[str]:
        """Return the ids of the proposals, as the chain has them, that this member has answered."""
        rows = self._journal.read("SELECT key FROM decisions WHERE key LIKE 'ballot:%'")
        return frozenset(str(key).rsplit(":", 1)[1] for (key,) in rows)

    def _given(self, entry: Entry) -> GivenBallot:
        detail: Mapping[str, str] = entry.detail
        letters = [letter for letter in self._letters.of_decision(detail["key"]) if letter.digest == entry.digest]
        state = letters[0].state if letters else "signed"
        block = self._block(detail["key"]) if state == "sent" else 0
        way = Way.ON_CHAIN if block else {"sent": Way.SENT, "refused": Way.REFUSED}.get(state, Way.SIGNED)
        proposal = uuid.UUID(letters[0].path.rsplit("/", 1)[1]) if letters else None
        sentence = str(detail.get("sentence", ""))
        return GivenBallot(entry.digest, sentence, detail["value"], entry.person, entry.time, proposal, way, block)

    def _block(self, key: str) -> int:
        """Return a block by which the own node holds this member's ballot; 0 while it does not, or does not answer."""
        _kind, _chain, address, identity = key.split(":")
        try:
            head = self._chain.head().number
            return head if self._is_on_chain(address, identity, head) else 0
        except ConsiliumError:
            return 0

    def _is_on_chain(self, address: str, identity: str, block: int) -> bool:
        if identity.startswith("0x"):
            board, decision = ContractReference(BOARD, address), from_hex(identity, size_bytes=32)
            return bool(self._chain.call(board, "ballotOf", decision, self._organization, block=block))
        governor = ContractReference(GOVERNOR, address)
        return bool(self._chain.call(governor, "hasOrganizationVoted", int(identity), self._organization, block=block))
