"""The plan form: fields from the tables of `numbers` and `kinds`, choices from what the members offer."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from consent.domain.provisions import require_category
from consent.domain.purposes import DISEASE_RESEARCH
from consortium.kernel.errors import InvalidInputError
from training.domain.suggestions import most_rows
from training.portal.planning import words
from training.portal.planning.column_fields import (
    Entered,
    add_fields,
    ask_name,
    check,
    choices_of,
    complete,
    feature_of_answers,
    is_measured,
)
from training.portal.planning.kinds import KINDS, Ask, Column
from training.portal.planning.numbers import ALGORITHMS, LARGEST, NUMBERS, SMALLEST, Number, Proportions
from training.portal.planning.offers import Difference, Offer, common_columns, differences

_MONDO = re.compile(r"MONDO:\d{7}\Z")


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
    more_categories = forms.CharField(label=lazy("Other categories"), required=False, max_length=50_000)
    features = forms.MultipleChoiceField(label=lazy("Columns to learn from"))
    target = forms.ChoiceField(label=lazy("Column to predict"))
    greater_than = forms.FloatField(label=lazy("Predict whether it is greater than"), required=False)
    equals = forms.ChoiceField(label=lazy("Predict whether it is"), required=False)
    named_only = forms.MultipleChoiceField(label=lazy("Named without being read"), required=False)
    order = forms.CharField(required=False, max_length=200_000)
    algorithm = forms.ChoiceField(label=lazy("Algorithm"), choices=list(ALGORITHMS.items()))
    minimum_band = forms.ChoiceField(label=lazy("Smallest cohort of a site"), choices=words.band_choices)
    metrics = forms.MultipleChoiceField(label=lazy("Metrics"), choices=words.METRICS, required=False)
    serving_purpose = forms.ChoiceField(label=lazy("What the model may answer for"), choices=words.serving_choices)
    recipients = forms.MultipleChoiceField(label=lazy("Who receives the model"))
    ring_bits = forms.ChoiceField(label=lazy("Ring of the sums"), choices=words.RINGS)

    def __init__(self, data: Mapping[str, Any] | None, *, offers: Sequence[Offer], recipients: Iterable[Any]) -> None:
        entered = _copy(data)
        super().__init__(entered)
        self.offers = list(offers)
        self.chosen = self._chosen(set(self.listed("sites")))
        used = self.listed("features")
        self.columns = _in_order(common_columns(self.chosen), used)
        complete(entered, self.columns)
        self.left_out: list[Difference] = differences(self.chosen)
        self._choices("sites", [(o.key, o.site.name) for o in offers if o.fits])
        self._choices("recipients", [(str(site.id), site.name) for site in recipients])
        for name in ("features", "target", "named_only"):
            self._choices(name, [(column.name, column.name) for column in self.columns])
        self._choices("purpose", words.purpose_choices(str(entered.get("purpose", ""))))
        self._choices("serving_purpose", words.serving_choices(str(entered.get("serving_purpose", ""))))
        self._fit_target()
        self._add_numbers()
        add_fields(self, self.columns, set(used))
        for field in self.fields.values():
            field.error_messages["required"] = _("Fill this in: it is part of what the members vote on.")

    @property
    def target_column(self) -> Column | None:
        """The column that is to be predicted, as far as the entries name one."""
        return next((column for column in self.columns if column.name == self.data.get("target")), None)

    @property
    def measured(self) -> list[str]:
        """Names of the chosen columns that the first round measures."""
        used = set(self.listed("features"))
        return [one.name for one in self.columns if one.name in used and is_measured(self.data, one)]

    @property
    def proportions(self) -> Proportions:
        """What computed numbers follow from, as far as it is entered."""
        entered = str(self.data.get("max_rows", "")).strip()
        largest = max((offer.data_set.band for offer in self.chosen if offer.data_set), default=10)
        is_number = entered.isascii() and entered.isdigit() and len(entered) < 10
        return Proportions(
            sites=max(2, len(self.chosen)),
            max_rows=int(entered) if is_number else most_rows(largest),
            algorithm=str(self.data.get("algorithm", "")),
            measured=len(self.measured),
        )

    def listed(self, name: str) -> list[str]:
        """The values of a field that takes several, as they were entered."""
        values = self.data.getlist(name) if hasattr(self.data, "getlist") else self.data.get(name, [])
        return [str(value) for value in values]

    def numbers_of(self, group: Sequence[Number]) -> list[tuple[Number, forms.BoundField, str]]:
        """A group of numbers, each with its bound field and what an empty one is computed as."""
        proportions = self.proportions
        return [(one, self[one.name], words.plain(one.value_for(proportions))) for one in group]

    def asks_of(self, column: Column) -> list[tuple[Ask, forms.BoundField, list[tuple[str, Any]]]]:
        """What the form asks of a column, each with what can be chosen."""
        found = []
        for ask in KINDS[column.kind].asks:
            field = self[ask_name(ask.name, column.name)]
            found.append((ask, field, choices_of(ask, column, str(field.value() or ""))))
        return found

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

    def clean_order(self) -> list[str]:
        return str(self.cleaned_data["order"]).split()

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        named = [*cleaned.get("categories", []), *cleaned.get("more_categories", [])]
        if not named and not self.has_error("more_categories"):
            self.add_error("categories", _("Name at least one category: consents are given for categories of data."))
        if cleaned.get("target") in cleaned.get("features", []):
            self.add_error("features", _("The column to predict cannot be learned from. Take one of them out."))
        for column in self.columns:
            if column.name in cleaned.get("features", []):
                check(self, column)
        return cleaned

    def value_of(self, number: Number) -> float:
        """A number as entered, or as computed for an empty field; call on a valid form."""
        entered = self.cleaned_data.get(number.name)
        return number.value_for(self.proportions) if entered is None else float(entered)

    def feature_of(self, column: Column) -> dict[str, Any]:
        """The feature that the answers make of a column; call on a valid form."""
        return feature_of_answers(self.cleaned_data, column)

    def _fit_target(self) -> None:
        """Ask of the target what its kind needs, and nothing else."""
        column = self.target_column
        if column and column.kind == "categorical":
            self._choices("equals", [(text, text) for text in column.by_text])
            self.fields["equals"].required = True
        else:
            self.fields["equals"] = forms.CharField(required=False)
        if column is None or column.kind == "numeric":
            self.fields["greater_than"].required = True
        else:
            self.fields["greater_than"] = forms.CharField(required=False)

    def _add_numbers(self) -> None:
        algorithm = str(self.data.get("algorithm", ""))
        for number in NUMBERS:
            self.fields[number.name] = _number_field(number, is_asked=number.is_of(algorithm))

    def _chosen(self, keys: set[str]) -> list[Offer]:
        """The chosen data sets in the order of their sites, which is the order of a plan."""
        found = [offer for offer in self.offers if offer.fits and offer.key in keys]
        return sorted(found, key=lambda offer: offer.site.id)

    def _choices(self, name: str, choices: Sequence[tuple[str, Any]]) -> None:
        # Every field of this name is one of choice.
        setattr(self.fields[name], "choices", choices)  # noqa: B010  the stub of Field knows no choices


def _copy(data: Mapping[str, Any] | None) -> Entered:
    """Return the entries so that suggestions can be entered beside them."""
    if isinstance(data, MultiValueDict):
        return data.copy()
    found: Entered = MultiValueDict()
    for name, value in (data or {}).items():
        found.setlist(name, list(value) if isinstance(value, list | tuple) else [value])
    return found


def _in_order(columns: list[Column], used: Sequence[str]) -> list[Column]:
    """Put the columns that are learned from first, in their order: it is the order of the plan's features."""
    places = {name: place for place, name in enumerate(used)}
    return sorted(columns, key=lambda column: places.get(column.name, len(places)))


def _number_field(number: Number, *, is_asked: bool) -> forms.Field:
    texts: dict[str, Any] = {"label": str(number.label), "help_text": str(number.help)}
    if not is_asked:
        return forms.CharField(required=False, **texts)
    texts["required"] = not (number.is_computed or number.algorithms)
    if number.is_whole:
        return forms.IntegerField(min_value=int(number.minimum), max_value=int(number.maximum), **texts)
    if number.minimum == SMALLEST:
        texts["error_messages"] = {"min_value": _("Enter a number above zero.")}
    return forms.FloatField(min_value=number.minimum, max_value=min(number.maximum, LARGEST), **texts)
