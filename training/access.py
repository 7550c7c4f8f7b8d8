"""Fetch with permission: one's consortium's rows, or nothing."""

from typing import TypeVar
from uuid import UUID

from django.db.models import Model as Row
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from consortium.kernel.errors import ForbiddenError, NotFoundError
from training.models import ForeignModel, Model, Plan, Run

R = TypeVar("R", bound=Row)


def access_plan(plan_id: UUID, *, consortium_id: UUID | None = None) -> Plan:
    """The plan, if the asker's organization belongs to its consortium; of that one alone, where it is named."""
    plans = Plan.objects.filter(pk=plan_id)
    return _only(plans if consortium_id is None else plans.filter(consortium_id=consortium_id))


def access_run(run_id: UUID) -> Run:
    """The run, if the asker's organization belongs to its consortium."""
    return _only(Run.objects.filter(pk=run_id))


def access_model(model_id: UUID) -> Model:
    """The model, if the asker's organization belongs to its consortium."""
    return _only(Model.objects.select_related("run").filter(pk=model_id))


def access_foreign_model(model_id: UUID) -> ForeignModel:
    """The model of another consortium, if it was proven to one of the asker's organization's."""
    return _only(ForeignModel.objects.select_related("peer").filter(pk=model_id))


def require_author(row: Plan | Run, organization_id: UUID) -> None:
    """Refuse acts on another member's plan or run."""
    if row.organization_id != organization_id:
        raise ForbiddenError(_("This belongs to another member; its own people act on it."))


def _only(rows: QuerySet[R]) -> R:
    row = rows.first()
    if row is None:
        raise NotFoundError(_("There is nothing of this name in your consortia."))
    return row
