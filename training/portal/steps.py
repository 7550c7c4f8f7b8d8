"""The steps of one attempt: what is done, what goes on, and who is awaited since when."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from training.domain.run_terms import RunTerms
from training.domain.states import AttemptState
from training.models import Attempt, SitePart


@dataclass(frozen=True, slots=True)
class Kind:
    """A step: the time that says it is done, and what of a site's part it waits for (empty: for the chain)."""

    label: str | Promise
    time: str
    answer: str = ""


KINDS = (
    Kind(lazy("Announced"), "announced_at"),
    Kind(lazy("Commitments in"), "committed_at", "has_committed"),
    Kind(lazy("Opened by all members"), "opened_at"),
    Kind(lazy("Secret shares dealt"), "dealt_at", "has_dealt"),
    Kind(lazy("Masked updates in"), "collected_at", "has_vector"),
    Kind(lazy("Survivors signed"), "signed_at", "has_signed"),
    Kind(lazy("Shares released"), "released_at", "has_released"),
    Kind(lazy("Result verified"), "verified_at", "has_verified"),
    Kind(lazy("Closed by all members"), "closed_at"),
)
LIVING = frozenset({SitePart.Outcome.ASKED, SitePart.Outcome.COMMITTED, SitePart.Outcome.ACCEPTED})


@dataclass(frozen=True, slots=True)
class Step:
    """One step as the page shows it; `css` is done, now, stopped or empty."""

    label: str
    css: str
    note: str
    at: datetime | None = None


def current_kind(attempt: Attempt) -> Kind | None:
    """Return the step that goes on; None for an attempt that has ended."""
    if attempt.state in (AttemptState.CLOSED, AttemptState.ABANDONED):
        return None
    return next((kind for kind in KINDS if getattr(attempt, kind.time) is None), None)


def asked_in(attempt: Attempt, parts: Sequence[SitePart]) -> list[SitePart]:
    """Return the parts that the present step hears: before the opening every site's, then the roster's."""
    living = [part for part in parts if part.outcome in LIVING]
    return living if attempt.opened_at is None else [p for p in living if str(p.organization_id) in attempt.roster]


def awaited_in(attempt: Attempt, parts: Sequence[SitePart]) -> list[SitePart]:
    """Return the parts without the answer that the present step waits for; empty where it waits for the chain."""
    kind = current_kind(attempt)
    if kind is None or not kind.answer:
        return []
    return [part for part in asked_in(attempt, parts) if not getattr(part, kind.answer)]


def steps_of(attempt: Attempt, parts: Sequence[SitePart], terms: RunTerms | None) -> list[Step]:
    """Return all steps in order; of an attempt that was given up, the one where it stopped says so."""
    gone_on = False
    steps = []
    for kind in KINDS:
        at = getattr(attempt, kind.time)
        if at is not None or attempt.state == AttemptState.CLOSED:
            steps.append(Step(str(kind.label), "done", _block_note(kind, attempt), at))
        elif not gone_on:
            gone_on = True
            steps.append(_present(kind, attempt, parts))
        else:
            steps.append(Step(str(kind.label), "", _needed(kind, terms)))
    return steps


def _block_note(kind: Kind, attempt: Attempt) -> str:
    has_block = kind.time == "opened_at" and attempt.opened_block is not None
    return _("block %(block)s") % {"block": f"{attempt.opened_block:,}"} if has_block else ""


def _present(kind: Kind, attempt: Attempt, parts: Sequence[SitePart]) -> Step:
    if attempt.state == AttemptState.ABANDONED:
        return Step(str(kind.label), "stopped", attempt.abandoned_text or attempt.abandoned_reason)
    if not kind.answer:
        return Step(str(kind.label), "now", _("waits for the next block"))
    asked = asked_in(attempt, parts)
    answered = sum(getattr(part, kind.answer) for part in asked)
    return Step(str(kind.label), "now", _("%(in)d of %(all)d in") % {"in": answered, "all": len(asked)})


def _needed(kind: Kind, terms: RunTerms | None) -> str:
    if terms is None:
        return ""
    return {
        "committed_at": _("after %(n)d commitments") % {"n": terms.minimum_sites},
        "signed_at": _("after %(n)d signatures") % {"n": terms.threshold},
        "released_at": _("after %(n)d shares") % {"n": terms.threshold},
        "verified_at": _("after %(n)d signatures") % {"n": terms.verifier_quorum},
    }.get(kind.time, "")
