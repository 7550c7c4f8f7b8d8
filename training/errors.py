"""Refusals of training: plans, runs, rounds and models; those of a plan's document lie in the library."""

from consortium.kernel.errors import ConflictError, ConsiliumError, InvalidInputError
from training.federated.errors import BoundBrokenError as BoundBrokenError
from training.federated.errors import PlanInvalidError as PlanInvalidError
from training.federated.errors import UnknownFeatureError as UnknownFeatureError
from training.federated.errors import UnknownPurposeError as UnknownPurposeError


class NotAMemberSiteError(PlanInvalidError):
    """The plan names a site that is not an active member of its consortium."""

    code = "not_a_member_site"


class TransitionRefusedError(ConflictError):
    """The state machine has no such step; terminal states are final."""

    code = "transition_refused"


class PlanExistsError(ConflictError):
    """The consortium has a plan of exactly these bytes already."""

    code = "plan_exists"


class PlanNotApprovedError(ConflictError):
    """No approval stands for exactly this plan and its terms."""

    code = "plan_not_approved"


class RunsUsedUpError(ConflictError):
    """The approval covers no further run; a new vote is needed."""

    code = "runs_used_up"


class RunNotLiveError(ConflictError):
    """The run has ended, and ended runs stay as they are."""

    code = "run_not_live"


class UnknownBackendError(InvalidInputError):
    """There is no back end of this name."""

    code = "unknown_backend"


class AnswerInvalidError(InvalidInputError):
    """A site's answer does not have the form, the binding or the signature that it must have."""

    code = "answer_invalid"


class ModelNotReleasedError(ConflictError):
    """The model is not released, so it answers nothing."""

    code = "model_not_released"


class InputRefusedError(InvalidInputError):
    """A row does not fit the plan's schema; the message names column and rule, never the value."""

    code = "input_refused"


class FenceLostError(ConsiliumError):
    """Another coordinator has taken the run over; whatever this one wanted to write is not written."""

    code = "fence_too_low"
    http_status = 409


class RunStoppedError(ConsiliumError):
    """The run was paused or canceled while its coordinator worked."""

    code = "run_stopped"
    http_status = 409


class AttemptFailedError(ConsiliumError):
    """The attempt cannot be completed; `reason` is one of the ledger's words for why it is abandoned."""

    code = "attempt_failed"
    http_status = 409

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message, reason=reason)
        self.reason = reason


class RunFailedError(ConsiliumError):
    """The run cannot go on; `reason` is a stable code.

    `ends_on_chain` says that the ledger lets anybody fail it; otherwise its author ends it by signature.
    """

    code = "run_failed"
    http_status = 409

    def __init__(self, reason: str, message: str, *, ends_on_chain: bool = False) -> None:
        super().__init__(message, reason=reason)
        self.reason = reason
        self.ends_on_chain = ends_on_chain
