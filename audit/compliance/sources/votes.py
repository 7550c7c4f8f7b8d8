"""Decisions of the members: who voted what, and the times of the blocks that hold the ballots."""

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from audit.compliance.training_facts import BallotFacts, VoteFacts
from audit.content import written_time
from consortium.governance import selectors as governance
from consortium.governance.models import Proposal
from contracts.models import ChainEventRecord


def votes_on(consortium_id: UUID, subjects: Iterable[str]) -> tuple[VoteFacts, ...]:
    """Return the decisions on these subjects (0x...), oldest first."""
    found = list(governance.proposals(consortium_id).filter(subject__in=list(subjects)).order_by("created_at", "pk"))
    times = _times(consortium_id, found)
    return tuple(_vote(proposal, times) for proposal in found)


def _vote(proposal: Proposal, times: dict[int, str]) -> VoteFacts:
    counted = [ballot for ballot in proposal.ballots.all() if ballot.counts]
    return VoteFacts(
        subject=proposal.subject,
        kind=proposal.kind,
        author=str(proposal.organization_id),
        state=proposal.state,
        opened=written_time(proposal.opened_at or proposal.created_at),
        decided=times.get(proposal.settled_block or -1),
        block=proposal.settled_block,
        base=proposal.base,
        ballots=tuple(
            BallotFacts(
                organization=str(ballot.organization_id),
                choice=ballot.choice,
                block=ballot.confirmed_block,
                time=times.get(ballot.confirmed_block or -1),
            )
            for ballot in counted
        ),
    )


def _times(consortium_id: UUID, proposals: list[Proposal]) -> dict[int, str]:
    blocks = {ballot.confirmed_block for proposal in proposals for ballot in proposal.ballots.all()}
    blocks |= {proposal.settled_block for proposal in proposals}
    return block_times(consortium_id, blocks - {None})


def block_times(consortium_id: UUID, blocks: Iterable[int | None]) -> dict[int, str]:
    """Return the times of blocks that hold an event of the consortium, in UTC (RFC 3339)."""
    stored = ChainEventRecord.objects.filter(consortium_id=consortium_id, block_number__in=list(blocks))
    rows = stored.values_list("block_number", "block_time").distinct()
    return {number: written_time(datetime.fromtimestamp(seconds, UTC)) for number, seconds in rows}
