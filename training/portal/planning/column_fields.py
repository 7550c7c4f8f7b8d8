"""The fields that the plan form has for each column, what is suggested in them, and their answers."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext as _

from training.federated.algorithms.missing import MEAN, REFUSE, VALUE
from training.federated.errors import PlanFormatError
from training.federated.plan_columns import read_feature
from training.portal.planning.kinds import FIXED, KINDS, MEASURED, Ask, Column, answers_for, list_of_text
from training.portal.planning.numbers import LARGEST

Entered = MultiValueDict[str, Any]
_LONGEST_LIST = 100_000


def ask_name(ask: str, column: str) -> str:
    """Return the name of the field that asks it of a column."""
    return f"{ask}.{column}"


def complete(entered: Entered, columns: Sequence[Column]) -> None:
    """Enter what the data sets declare for each column of which nothing was asked yet."""
    for column in columns:
        if ask_name("missing", column.name) not in entered:
            for name, text in answers_for(column, column.declared).items():
                entered.setdefault(ask_name(name, column.name), text)


def is_measured(entered: Mapping[str, Any], column: Column) -> bool:
    """Say whether the entries have the column standardized with measured moments."""
    return column.kind == "numeric" and entered.get(ask_name("reading", column.name)) == MEASURED


def add_fields(form: forms.Form, columns: Sequence[Column], used: set[str]) -> None:
    """Add the fields of every column; what does not count with the other answers may hold anything."""
    for column in columns:
        for ask in KINDS[column.kind].asks:
            counts = column.name in used and _counts(form.data, ask, column)
            form.fields[ask_name(ask.name, column.name)] = (
                _field(form.data, ask, column) if counts else forms.CharField(label=str(ask.label), required=False)
            )


def feature_of_answers(cleaned: Mapping[str, Any], column: Column) -> dict[str, Any]:
    """Return the feature that the cleaned answers make."""
    asks = KINDS[column.kind].asks
    answers = {ask.name: cleaned.get(ask_name(ask.name, column.name), "") for ask in asks}
    return KINDS[column.kind].feature(column, answers)


def check(form: forms.Form, column: Column) -> None:
    """Put what is wrong with a column beside the field that mends it."""
    names = [ask_name(ask.name, column.name) for ask in KINDS[column.kind].asks]
    if any(form.has_error(name) for name in names):
        return
    cleaned = form.cleaned_data
    if column.kind == "categorical" and (unknown := _unknown(cleaned, column)):
        form.add_error(
            ask_name("categories", column.name),
            _("No chosen data set has %(names)s. Take it out.") % {"names": ", ".join(unknown)},
        )
    elif cleaned.get(ask_name("reading", column.name)) == FIXED and _rule(cleaned, column) == MEAN:
        form.add_error(
            ask_name("missing", column.name),
            _("Only a measured column has a mean over all sites. Choose a constant, or let it be measured."),
        )
    else:
        _try(form, column)


def _try(form: forms.Form, column: Column) -> None:
    try:
        read_feature(feature_of_answers(form.cleaned_data, column))
    except PlanFormatError as error:
        is_constant = _rule(form.cleaned_data, column) == VALUE and "missing of" in error.message
        place = {"numeric": "minimum", "categorical": "categories"}.get(column.kind, "missing")
        form.add_error(ask_name("value" if is_constant else place, column.name), error.message)


def _rule(cleaned: Mapping[str, Any], column: Column) -> str:
    return str(cleaned.get(ask_name("missing", column.name), ""))


def _unknown(cleaned: Mapping[str, Any], column: Column) -> list[str]:
    entered = list_of_text(str(cleaned.get(ask_name("categories", column.name), "")))
    return [one for one in entered if one not in column.by_text]


def _counts(entered: Mapping[str, Any], ask: Ask, column: Column) -> bool:
    rule = entered.get(ask_name("missing", column.name), "")
    if ask.when == "missing":
        return rule not in ("", REFUSE)
    return not ask.when or ask.when in (rule, entered.get(ask_name("reading", column.name)))


def _field(entered: Mapping[str, Any], ask: Ask, column: Column) -> forms.Field:
    label = str(ask.label)
    if ask.sort == "flag":
        return forms.BooleanField(label=label, required=False)
    if ask.sort == "text":
        return forms.CharField(label=label, max_length=_LONGEST_LIST)
    if ask.choices is not None:
        choices = choices_of(ask, column, str(entered.get(ask_name(ask.name, column.name), "")))
        return forms.ChoiceField(label=label, choices=choices, required=all(value for value, _word in choices))
    validators = [_above_zero] if ask.name == "scale" else []
    return forms.FloatField(label=label, min_value=-LARGEST, max_value=LARGEST, validators=validators)


def choices_of(ask: Ask, column: Column, entered: str) -> list[tuple[str, Any]]:
    """Return what can be chosen; refusal of missing values is left unsaid in a plan, or said if it was entered so."""
    choices = ask.choices(column) if ask.choices else []
    if ask.name == "missing" and entered == REFUSE:
        return [(REFUSE, choices[0][1]), *choices[1:]]
    return choices


def _above_zero(value: float) -> None:
    if value <= 0:
        raise ValidationError(_("Enter a number above zero."))
