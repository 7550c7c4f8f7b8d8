"""Grants: one statement of a data subject, its legal basis, its source and its state.

    draft -> active -> withdrawn | expired | entered_in_error ;  any -> erased

Nothing but an active grant permits or denies anything. The subject is not part of a grant: whoever
stores grants keys them by pseudonym.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

from consent.domain.errors import GrantTransitionError
from consent.domain.provisions import Provision, require_root
from consent.domain.times import require_instant
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.errors import InvalidInputError


class GrantState(StrEnum):
    """A grant's state; all but draft and active are terminal, save that anything may be erased."""

    DRAFT = "draft"
    ACTIVE = "active"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    ENTERED_IN_ERROR = "entered_in_error"
    ERASED = "erased"


class LegalBasis(StrEnum):
    """On what a permit rests: consent (GDPR Art. 6(1)(a), 9(2)(a)), or that the subject did not object (opt-out)."""

    CONSENT = "consent"
    NO_OBJECTION = "no_objection"


TRANSITIONS = MappingProxyType(
    {
        GrantState.DRAFT: frozenset({GrantState.ACTIVE, GrantState.ERASED}),
        GrantState.ACTIVE: frozenset(GrantState) - {GrantState.DRAFT, GrantState.ACTIVE},
        GrantState.WITHDRAWN: frozenset({GrantState.ERASED}),
        GrantState.EXPIRED: frozenset({GrantState.ERASED}),
        GrantState.ENTERED_IN_ERROR: frozenset({GrantState.ERASED}),
        GrantState.ERASED: frozenset(),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """One statement of a subject.

    `recorded_at` is when the subject's statement was made or recorded at its source (FHIR `Consent.dateTime`);
    `source_digest` names the document it was read from, `text_version` the text that the subject was shown.
    An erased grant keeps its id and dates alone.
    """

    id: str
    state: GrantState
    legal_basis: LegalBasis
    source_digest: str | None
    recorded_at: datetime
    text_version: str | None
    provision: Provision | None

    def __post_init__(self) -> None:
        require_instant(self.recorded_at, "recorded at")
        contents = (self.source_digest, self.text_version, self.provision)
        if self.state is GrantState.ERASED:
            if contents != (None, None, None):
                raise InvalidInputError("An erased grant still has contents.")
        elif None in contents:
            raise InvalidInputError("A grant needs its source's digest, its text's version and its provision.")
        if self.source_digest is not None:
            digest_to_bytes32(self.source_digest)
        if self.provision is not None:
            require_root(self.provision)


def change_state(grant: Grant, state: GrantState) -> Grant:
    """Return the grant in its new state, emptied if that is erased.

    Raises
    ------
    GrantTransitionError
        If the table has no such step; withdrawn, expired and entered in error are final but for erasure.
    """
    if state not in TRANSITIONS[grant.state]:
        raise GrantTransitionError(
            f"A grant that is {grant.state.value} cannot become {state.value}. Record a new grant instead.",
            state=grant.state.value,
            requested=state.value,
        )
    if state is GrantState.ERASED:
        return replace(grant, state=state, source_digest=None, text_version=None, provision=None)
    return replace(grant, state=state)
