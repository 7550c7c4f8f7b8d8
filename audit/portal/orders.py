"""The form in which a report is asked for, read as far as a form can be read."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.http import Http404, QueryDict
from django.utils.translation import gettext as _

from audit.bundles.orders import ModelChoiceError, Order
from audit.compliance.periods import PeriodInvalidError
from audit.portal.reports import framework_named


@dataclass(frozen=True, slots=True)
class Filled:
    """What stood in the form: kept as it was written, for the page that says what is wrong with it."""

    report: str
    consortium: UUID
    since: str
    until: str
    model: str

    @classmethod
    def read(cls, form: QueryDict) -> "Filled":
        """Return the form; a consortium that is no id is as unknown as one of nobody's."""
        try:
            consortium = UUID(form.get("consortium", ""))
        except ValueError:
            raise Http404 from None
        names = ("report", "from", "until", "model")
        report, since, until, model = (form.get(name, "").strip() for name in names)
        return cls(report, consortium, since, until, model)

    def order(self) -> Order:
        """Return the order that the form makes.

        Raises
        ------
        PeriodInvalidError, ModelChoiceError
            For a day that is none, and a model that is no id.
        """
        return Order(self.report, _day(self.since), _day(self.until), self._model())

    def _model(self) -> UUID | None:
        framework = framework_named(self.report)
        # A browser sends the field also for a report that is about no model.
        if not self.model or framework is None or not framework.needs_model:
            return None
        try:
            return UUID(self.model)
        except ValueError:
            raise ModelChoiceError(_("That is no model. Choose one of the list.")) from None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise PeriodInvalidError(
            _("%(text)s is no day. Write it as year, month and day: 2026-11-26.") % {"text": text[:40]}
        ) from None
