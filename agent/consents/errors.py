"""What the site's consent store refuses, and why."""

from agent.errors import JobRefusedError
from consortium.kernel.errors import ConflictError, ConsiliumError, NotFoundError


class ConsentStoreError(ConsiliumError):
    """The consent store or the salts are not as this program left them; nothing may be anchored from them."""

    code = "consent_store"


class ConsentStateError(ConsiliumError):
    """The chain holds an entry of consents that this site did not sign: somebody else has the site key."""

    code = "consent_state_unknown"
    http_status = 409


class AnchorOnItsWayError(ConflictError):
    """An epoch or revocation is on its way to the chain, or an attempt holds it back; try again in a moment."""

    code = "anchor_on_its_way"
    retryable = True


class NoEpochError(ConflictError):
    """The chain holds no epoch of this site yet; anchor one with: consilium-site consents epoch."""

    code = "no_epoch"


class UnknownSubjectError(NotFoundError):
    """The store holds no consent of this subject."""

    code = "unknown_subject"


class CohortTooSmallError(JobRefusedError):
    """Fewer subjects permit the plan than its minimum; nothing is committed, and the number is told nobody."""

    code = "cohort_too_small"
