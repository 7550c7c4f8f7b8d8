"""Refusals of governance."""

from consortium.kernel.errors import ConflictError, ForbiddenError, InvalidInputError


class ProposalClosedError(ConflictError):
    """Votes are not taken any more."""

    code = "proposal_closed"


class AlreadyVotedError(ConflictError):
    """The organization has voted on this proposal."""

    code = "already_voted"


class UnknownKindError(InvalidInputError):
    """There is no such kind of decision."""

    code = "unknown_kind"


class NotVetoableError(ConflictError):
    """Nothing waits here that a guardian could stop."""

    code = "not_vetoable"


class NotGuardianError(ForbiddenError):
    """The organization is no guardian of the consortium."""

    code = "not_guardian"


class AlreadySignedError(ConflictError):
    """The organization's signature against this act is here already."""

    code = "already_signed"


class VetoSignatureError(InvalidInputError):
    """The signature is not of the organization's vote key, or is over something else."""

    code = "bad_veto_signature"
