"""The plan form: fields from the tables of `numbers` and `kinds`, choices from what the members offer."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from consent.domain.provisions import require_category
from consent.domain.purposes import DISEASE_RESEARCH
from consortium.kernel.errors import InvalidInputError
from training.portal.planning import words
from training.portal.planning.kinds import KINDS, Ask, Column
from training.portal.planning.numbers import ALGORITHMS, NUMBERS, Number, Proportions
from training.portal.planning.offers import Difference, Offer, common_columns, differences

_MONDO = re.compile(r"MONDO:\d{7}\Z")
LARGEST = 1e12


class PlanForm(forms.Form):
    """A plan as its author enters it. Bind it to a POST, or to the entries of a plan that is copied."""

    title = forms.CharField(label=lazy("Title"), max_length=200)
    purpose = forms.ChoiceField(label=lazy("Purpose"), choices=words.purpose_choices)
    disease = forms.CharField(label=lazy("Disease"), required=False, max_length=20)
    conditions = forms.MultipleChoiceField(
        label=lazy("Conditions that it states"), choices=words.condition_choices, required=False
    )
    sites = forms.MultipleChoiceField(label=lazy("Sites and their data sets"))
    categories = forms.MultipleChoiceField(
        label=lazy("Categories of data"), choices=words.category_choices, required=False
    )
    more_categories = forms.CharField(label=lazy("Other categories"), required=False, max_length=2000)
    features = forms.MultipleChoiceField(label=lazy("Columns to learn from"))
    target = forms.ChoiceField(label=lazy("Column to predict"))
    greater_than = forms.FloatField(label=lazy("Predict whether it is greater than"))
    algorithm = forms.ChoiceField(label=lazy("Algorithm"), choices=list(ALGORITHMS.items()))
    minimum_band = forms.ChoiceField(label=lazy("Smallest cohort of a site"), choices=words.band_choices)
    metrics = forms.MultipleChoiceField(label=lazy("Metrics"), choices=words.METRICS)
    serving_purpose = forms.ChoiceField(label=lazy("What the model may answer for"), choices=words.serving_choices)
    recipients = forms.MultipleChoiceField(label=lazy("Who receives the model"))
    ring_bits = forms.ChoiceField(label=lazy("Ring of the sums"), choices=words.RINGS)

    def __init__(self, data: Mapping[str, Any] | None, *, offers: Sequence[Offer], recipients: Iterable[Any]) -> None:
        super().__init__(data)
        self.offers = list(offers)
        self.chosen = self._chosen(set(self.listed("sites")))
        self.columns = common_columns(self.chosen)
        self.left_out: list[Difference] = differences(self.chosen)
        self.proportions = Proportions(
            max(2, len(self.chosen)), max((o.data_set.band for o in self.chosen if o.data_set), default=10)
        )
        self._choices("sites", [(o.key, o.site.name) for o in offers if o.fits])
        self._choices("recipients", [(str(site.id), site.name) for site in recipients])
        self._choices("features", [(column.name, column.name) for column in self.columns])
        self._choices("target", [(c.name, c.name) for c in self.columns if c.kind == "numeric"])
        self._add_numbers()
        for field in self.fields.values():
            field.error_messages["required"] = _("Fill this in: it is part of what the members vote on.")

    def listed(self, name: str) -> list[str]:
        """The values of a field that takes several, as they were entered."""
        values = self.data.getlist(name) if hasattr(self.data, "getlist") else self.data.get(name, [])
        return [str(value) for value in values]

    def numbers_of(self, group: Sequence[Number]) -> list[forms.BoundField]:
        """The bound fields of a group of numbers."""
        return [self[number.name] for number in group]

    def asks_of(self, column: Column) -> list[tuple[Ask, forms.BoundField]]:
        """What the form asks of a column."""
        return [(ask, self[ask_name(ask, column)]) for ask in KINDS[column.kind].asks]

    def clean_title(self) -> str:
        return str(self.cleaned_data["title"]).strip()

    def clean_disease(self) -> str:
        disease = str(self.cleaned_data["disease"]).strip()
        if self.cleaned_data.get("purpose") == DISEASE_RESEARCH and not _MONDO.match(disease):
            raise ValidationError(_("Research on one disease names it: enter its MONDO code, such as MONDO:0005267."))
        return disease

    def clean_sites(self) -> list[str]:
        keys = list(self.cleaned_data["sites"])
        sites = [offer.site.id for offer in self.chosen]
        if len(set(sites)) != len(sites):
            raise ValidationError(_("Choose one data set a member: a site trains on one."))
        if len(sites) < 2:
            raise ValidationError(_("A secure sum needs two sites at least. Choose another one."))
        return keys

    def clean_more_categories(self) -> list[str]:
        try:
            return [require_category(token) for token in str(self.cleaned_data["more_categories"]).split()]
        except InvalidInputError as error:
            raise ValidationError(_("Write each as system|code, parted by spaces.")) from error

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        named = [*cleaned.get("categories", []), *cleaned.get("more_categories", [])]
        if not named and not self.has_error("more_categories"):
            self.add_error("categories", _("Name at least one category: consents are given for categories of data."))
        if cleaned.get("target") in cleaned.get("features", []):
            self.add_error("features", _("The column to predict cannot be learned from. Take one of them out."))
        return cleaned

    def value_of(self, number: Number) -> float:
        """A number as entered, or as computed for an empty field; call on a valid form."""
        entered = self.cleaned_data.get(number.name)
        return number.value_for(self.proportions) if entered is None else float(entered)

    def asked_of(self, column: Column) -> dict[str, float]:
        """A column's numbers as entered, or their defaults; call on a valid form."""
        entered = {ask.name: (ask, self.cleaned_data.get(ask_name(ask, column))) for ask in KINDS[column.kind].asks}
        return {name: ask.default if value is None else float(value) for name, (ask, value) in entered.items()}

    def _add_numbers(self) -> None:
        for number in NUMBERS:
            self.fields[number.name] = _number_field(number)
        for column in self.columns:
            for ask in KINDS[column.kind].asks:
                self.fields[ask_name(ask, column)] = forms.FloatField(
                    label=str(ask.label),
                    required=False,
                    min_value=1e-12 if ask.is_positive else -LARGEST,
                    max_value=LARGEST,
                )

    def _chosen(self, keys: set[str]) -> list[Offer]:
        return [offer for offer in self.offers if offer.fits and offer.key in keys]

    def _choices(self, name: str, choices: list[tuple[str, str]]) -> None:
        # Every field of this name is one of choice.
        setattr(self.fields[name], "choices", choices)  # noqa: B010  the stub of Field knows no choices


def ask_name(ask: Ask, column: Column) -> str:
    """Return the name of the field that asks it of a column."""
    return f"{ask.name}.{column.name}"


def _number_field(number: Number) -> forms.Field:
    texts: dict[str, Any] = {
        "label": str(number.label),
        "help_text": str(number.help),
        "required": not number.is_computed,
    }
    if number.is_whole:
        return forms.IntegerField(min_value=int(number.minimum), max_value=int(number.maximum), **texts)
    return forms.FloatField(min_value=number.minimum, max_value=number.maximum, **texts)
