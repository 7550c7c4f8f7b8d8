"""Everything on a run's page that changes while it runs, and what of it the reader may order."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from consortium.kernel.errors import ConsiliumError
from training.domain.admission import tolerated_losses
from training.domain.plan_document import PlanDocument
from training.domain.states import RUN
from training.models import Attempt, Round, Run
from training.portal.attendance import attendance_of
from training.portal.changes import changes_of
from training.portal.happenings import happenings_of
from training.portal.hues import Sites
from training.portal.learning import figures_of, metric_rows
from training.portal.reads import open_orders, rounds_of, tasks_of
from training.portal.rounds import round_row, strip_of
from training.portal.steps import steps_of
from training.portal.words import backend_in_words
from training.services.plans import document_of


def progress_of(run: Run, own: UUID | None) -> dict[str, Any]:
    """Return what the changing part of the page says; `own` is the organization that the reader acts for."""
    rounds, sites = rounds_of(run), Sites(run.consortium_id, own)
    is_live = not RUN.is_terminal(run.state)
    changes = changes_of(rounds, sites)
    return {
        "run": run,
        "author": sites[run.organization_id],
        "is_live": is_live,
        "backend": backend_in_words(run.backend),
        "tiles": strip_of(run, rounds, is_live),
        "rounds": [round_row(one, sites) for one in rounds],
        "closed": sum(one.closed_at is not None for one in rounds),
        "changes": changes,
        "metrics": metric_rows(rounds),
        "figures": figures_of(rounds, run.rounds, changes),
        "log": happenings_of("run", run.pk, run.consortium_id, sites),
        "orders": open_orders(run),
        "tasks": tasks_of(run, sites),
        **_present(rounds, sites, _document(run)),
    }


def _present(rounds: Sequence[Round], sites: Sites, document: PlanDocument | None) -> dict[str, Any]:
    """The newest attempt: its steps, its sites, and what the secure sum over its roster keeps."""
    attempt = _newest(rounds)
    if attempt is None:
        return {"attempt": None}
    parts = list(attempt.parts.all())
    terms = document.terms if document else None
    return {
        "attempt": attempt,
        "present": rounds[-1],
        "steps": steps_of(attempt, parts, terms),
        "attendance": attendance_of(attempt, parts, sites),
        "terms": terms,
        "roster_size": len(attempt.roster),
        "losses": tolerated_losses(terms, len(attempt.roster)) if terms else 0,
    }


def _newest(rounds: Sequence[Round]) -> Attempt | None:
    attempts = list(rounds[-1].attempts.all()) if rounds else []
    return attempts[-1] if attempts else None


def _document(run: Run) -> PlanDocument | None:
    try:
        return document_of(run.plan) if run.plan else None
    except ConsiliumError:
        return None
