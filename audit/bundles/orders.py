"""What is asked for: a report, its days, and the model that it is about; settled before it is kept."""

from dataclasses import dataclass
from datetime import UTC, date, datetime
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from audit.compliance.periods import Period, checked_period, years_before
from audit.compliance.registry import DEFAULT, Report, report_named
from audit.models import Bundle
from consortium.kernel.errors import ForbiddenError, InvalidInputError, NotFoundError
from consortium.membership.models import Consortium
from training.access import access_model


class ModelChoiceError(InvalidInputError):
    """The report needs a model and none was named, or it is about none and one was."""

    code = "model_choice"


class ReportOfMemberError(ForbiddenError):
    """The report is a member's own account, and the asker exports for none."""

    code = "report_of_member"


@dataclass(frozen=True, slots=True)
class Order:
    """A wish: days that are left out are the report's usual ones."""

    report: str = DEFAULT
    since: date | None = None
    until: date | None = None
    model_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """An order that can be carried out."""

    report: Report
    period: Period
    model_id: UUID | None


def settle(order: Order, consortium: Consortium) -> Settled:
    """Hold an order to what can be made, with the usual days where it names none.

    Raises
    ------
    UnknownReportError, PeriodInvalidError, ModelChoiceError
        Naming what is wrong with the order, and what to write instead.
    NotFoundError
        If the model is not of this consortium, or not seen by the asker.
    """
    report = report_named(order.report)
    usual = usual_period(report, consortium)
    period = checked_period(order.since or usual.since, order.until or usual.until, today=today())
    return Settled(report, period, _model_of(report, order.model_id, consortium))


def require_open_to_auditors(report: Report) -> None:
    """Let a report through that tells of the consortium; `ReportOfMemberError` for a member's own account."""
    if report.is_of_member:
        raise ReportOfMemberError(
            _("This report is a member's own account and holds what is that member's alone. Ask the member for it.")
        )


def usual_period(report: Report, consortium: Consortium) -> Period:
    """Return the days that a report speaks of unless others are asked for: up to today."""
    if report.years_back is not None:
        return Period(years_before(today(), report.years_back), today())
    return Period(founding_day(consortium), today())


def period_of(bundle: Bundle, consortium: Consortium) -> Period:
    """Return a bundle's period; one asked for before there were periods speaks of everything until then."""
    if bundle.period_from is None or bundle.period_until is None:
        return Period(founding_day(consortium), _day(bundle.created_at))
    return Period(bundle.period_from, bundle.period_until)


def founding_day(consortium: Consortium) -> date:
    """Return the first day of which the consortium's log can speak."""
    return _day(consortium.created_at)


def today() -> date:
    """Return the day that it is in UTC."""
    return _day(timezone.now())


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()


def _model_of(report: Report, model_id: UUID | None, consortium: Consortium) -> UUID | None:
    if not report.needs_model:
        if model_id is not None:
            raise ModelChoiceError(_("This report is about no single model. Leave the model out."))
        return None
    if model_id is None:
        raise ModelChoiceError(_("This report is about one model. Name one of the consortium's models."))
    if access_model(model_id).consortium_id != consortium.pk:
        raise NotFoundError(_("There is no such model in this consortium."))
    return model_id
