"""Refusals of governance."""

from consortium.kernel.errors import ConflictError, InvalidInputError


class ProposalClosedError(ConflictError):
    """Votes are not taken any more."""

    code = "proposal_closed"


class AlreadyVotedError(ConflictError):
    """The organization has voted on this proposal."""

    code = "already_voted"


class UnknownKindError(InvalidInputError):
    """There is no such kind of decision."""

    code = "unknown_kind"
