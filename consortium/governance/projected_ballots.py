"""What the governor's and the board's events make of ballots, many at a time."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from audit.acts import Actor, Subject
from audit.recorder import Act, record_each_once
from consortium.common.bulk import insert_many, update_many
from consortium.governance.domain.kinds import Contract, choice_of
from consortium.governance.models import Ballot, Proposal
from consortium.kernel.identifiers import bytes32_to_uuid, to_hex
from consortium.membership.models import OrganizationKey
from contracts.events import ChainEvent
from contracts.projections import Heard, projects_many

PROJECTOR = Actor.system("projector")
_CONFIRMED = ["choice", "chain_state", "confirmed_block", "transaction_hash"]
_Place = tuple[Contract, str]


@projects_many("VoteCast", "BallotCast", "BallotStruck")
def ballots_counted(consortium_id: UUID, heard: Sequence[Heard]) -> None:
    """Ballots on acts and on decisions, and those that count no longer since their organization was removed."""
    book = _BallotBook.of(consortium_id, [one.event for one in heard])
    for one in heard:
        if one.event.name == "BallotStruck":
            book.strike(one.event)
        else:
            book.count(one)
    book.close()


def _place(event: ChainEvent) -> _Place:
    if event.name == "VoteCast":
        return Contract.GOVERNOR, str(event.arguments["proposalId"])
    return Contract.BOARD, to_hex(event.arguments["decision"])


@dataclass
class _BallotBook:
    """The proposals that the events name, their ballots, and whose vote key is whose."""

    consortium_id: UUID
    proposals: dict[_Place, Proposal] = field(default_factory=dict)
    voters: dict[str, UUID] = field(default_factory=dict)
    ballots: dict[tuple[UUID, UUID], list[Ballot]] = field(default_factory=dict)
    confirmed: dict[UUID, Ballot] = field(default_factory=dict)
    struck: dict[UUID, Ballot] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)

    @classmethod
    def of(cls, consortium_id: UUID, events: Sequence[ChainEvent]) -> "_BallotBook":
        book = cls(consortium_id)
        known = Proposal.objects.filter(
            consortium_id=consortium_id, chain_key__in={key for _, key in map(_place, events)}
        )
        book.proposals = {(Contract(one.contract), one.chain_key): one for one in known.order_by()}
        for ballot in Ballot.objects.filter(proposal__in=[one.pk for one in known]).order_by("pk"):
            book.ballots.setdefault((ballot.proposal_id, ballot.organization_id), []).append(ballot)
        if any(event.name == "VoteCast" for event in events):
            keys = OrganizationKey.objects.filter(membership__consortium_id=consortium_id, purpose="vote")
            named = keys.order_by("created_at").values_list("address", "membership__organization_id")
            book.voters = {address.lower(): organization for address, organization in named}
        return book

    def count(self, heard: Heard) -> None:
        event = heard.event
        proposal, organization_id = self._proposal(event), self._organization(event)
        contract, _ = _place(event)
        choice = choice_of(contract, event.arguments["support" if contract is Contract.GOVERNOR else "choice"])
        ballot = self._ballot(proposal, organization_id)
        ballot.choice, ballot.chain_state = choice, "confirmed"
        ballot.confirmed_block, ballot.transaction_hash = event.block_number, to_hex(event.transaction_hash)
        self.confirmed[ballot.pk] = ballot
        told = {"organization": str(organization_id), "choice": choice, "block": event.block_number}
        subject = Subject("proposal", str(proposal.pk))
        self.acts.append(Act(event.key, "governance.ballot.confirm", subject, told, heard.correlation_id))

    def strike(self, event: ChainEvent) -> None:
        for ballot in self.ballots.get((self._proposal(event).pk, self._organization(event)), []):
            ballot.is_struck = True
            self.struck[ballot.pk] = ballot

    def close(self) -> None:
        """Write what is new and what has changed, and record what was counted."""
        insert_many([ballot for ballot in self.confirmed.values() if ballot._state.adding])
        update_many(_saved(self.confirmed.values()), _CONFIRMED)
        update_many(_saved(self.struck.values()), ["is_struck"])
        record_each_once(self.acts, consortium_id=self.consortium_id, actor=PROJECTOR)

    def _proposal(self, event: ChainEvent) -> Proposal:
        if (found := self.proposals.get(place := _place(event))) is None:
            raise Proposal.DoesNotExist(f"A ballot was cast on {place[0]} {place[1]}, which was not opened.")
        return found

    def _organization(self, event: ChainEvent) -> UUID:
        if event.name != "VoteCast":
            return bytes32_to_uuid(event.arguments["organization"])
        voter = event.arguments["voter"]
        if (found := self.voters.get(voter.lower())) is None:
            raise OrganizationKey.DoesNotExist(f"{voter} voted, and is no member's vote key.")
        return found

    def _ballot(self, proposal: Proposal, organization_id: UUID) -> Ballot:
        """The ballot that was asked for here, or a new one; one that the contract refused before does not count."""
        cast = self.ballots.setdefault((proposal.pk, organization_id), [])
        if (found := next((one for one in cast if one.chain_state != "failed"), None)) is None:
            found = Ballot(
                proposal=proposal, consortium_id=proposal.consortium_id, organization_id=organization_id, choice=""
            )
            cast.append(found)
        return found


def _saved(ballots: Iterable[Ballot]) -> list[Ballot]:
    return [ballot for ballot in ballots if not ballot._state.adding]
