"""How columns of each kind become features: what the form asks of them, and what the document says."""

import csv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from training.federated.algorithms.missing import CATEGORY, MEAN, REFUSE, VALUE
from training.federated.plan_columns import CLIP

Text = str | Promise
Choices = list[tuple[str, Text]]
MEASURED, FIXED = "measured", "fixed"


@dataclass(frozen=True, slots=True)
class Column:
    """A column that all chosen data sets have; categories in the order of the first data set.

    `declared` holds what the sites' files say of it besides: the widest bounds, and rules as a plan writes them.
    `is_disputed` says that they propose different rules.
    """

    name: str
    kind: str
    categories: tuple[str | int, ...] = ()
    unit: str = ""
    declared: Mapping[str, Any] = field(default_factory=dict)
    is_disputed: bool = False

    @property
    def by_text(self) -> dict[str, str | int]:
        """Its categories by what is typed for them."""
        return {str(category): category for category in self.categories}


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that the form asks of a column of a kind: a number, a text, a choice, or yes or no.

    `when` names an answer without which it is not asked: a word of the reading, or of the rule for missing values.
    """

    name: str
    label: Text
    sort: str = "number"
    when: str = ""
    choices: Callable[[Column], Choices] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of column: its word, what is asked of it, its answers for a feature, and the feature of answers."""

    label: Text
    help: Text
    asks: tuple[Ask, ...]
    feature: Callable[[Column, Mapping[str, Any]], dict[str, Any]]


def answers_for(column: Column, feature: Mapping[str, Any]) -> dict[str, str]:
    """Return as texts the answers that make this feature; of what a data set declares, those that a plan takes over."""
    rule, bounds = feature.get("missing", ""), {**column.declared, **feature}
    found: dict[str, str] = {
        "reading": MEASURED if "minimum" in feature else FIXED,
        "outside": str(feature.get("outside", "")),
        "missing": VALUE if isinstance(rule, Mapping) else str(rule),
        "value": _text(rule[VALUE]) if isinstance(rule, Mapping) else "",
        "indicator": "on" if feature.get("indicator") else "",
        "categories": text_of_list(feature.get("categories", column.categories)),
        **{name: _text(bounds[name]) for name in ("minimum", "maximum") if name in bounds},
        **{name: _text(feature.get(name, default)) for name, default in (("offset", 0), ("scale", 1))},
    }
    return {ask.name: found.get(ask.name, "") for ask in KINDS[column.kind].asks}


def text_of_list(values: Sequence[str | int]) -> str:
    """Write categories in one line, with quotation marks where one has a comma."""
    out: list[str] = []
    csv.writer(_Lines(out), lineterminator="").writerow(values)
    return "".join(out)


def list_of_text(text: str) -> list[str]:
    """Read what `text_of_list` wrote, or what a person typed."""
    rows = list(csv.reader([text], skipinitialspace=True))
    return [item.strip() for item in rows[0] if item.strip()] if rows else []


class _Lines:
    """What the csv module writes to."""

    def __init__(self, out: list[str]) -> None:
        self._out = out

    def write(self, text: str) -> None:
        self._out.append(text)


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)


def _numeric(column: Column, answers: Mapping[str, Any]) -> dict[str, Any]:
    feature: dict[str, Any] = {"name": column.name, "kind": "numeric"}
    if answers["reading"] == MEASURED:
        feature |= {"minimum": answers["minimum"], "maximum": answers["maximum"]}
        if answers["outside"]:
            feature["outside"] = answers["outside"]
    else:
        feature |= {"offset": answers["offset"], "scale": answers["scale"]}
    return feature | _missing(answers, answers["value"])


def _binary(column: Column, answers: Mapping[str, Any]) -> dict[str, Any]:
    constant = int(answers["value"]) if answers["missing"] == VALUE else None
    return {"name": column.name, "kind": "binary", **_missing(answers, constant)}


def _categorical(column: Column, answers: Mapping[str, Any]) -> dict[str, Any]:
    known = column.by_text
    categories = [known.get(one, one) for one in list_of_text(answers["categories"])]
    rule = _missing(answers, known.get(answers["value"]))
    return {"name": column.name, "kind": "categorical", "categories": categories, **rule}


def _missing(answers: Mapping[str, Any], constant: object) -> dict[str, Any]:
    rule = answers["missing"]
    if not rule:
        return {}
    has_indicator = rule != REFUSE and answers.get("indicator")
    return {
        "missing": {VALUE: constant} if rule == VALUE else rule,
        **({"indicator": True} if has_indicator else {}),
    }


_REFUSE: tuple[str, Text] = ("", _("refused"))
_AS_VALUE: tuple[str, Text] = (VALUE, _("count as a constant"))


def _rules(*others: tuple[str, Text]) -> Callable[[Column], Choices]:
    return lambda column: [_REFUSE, *others, _AS_VALUE]


_READING = Ask(
    "reading",
    _("Scaled by"),
    "choice",
    choices=lambda column: [
        (MEASURED, _("measured mean and deviation")),
        (FIXED, _("numbers fixed here")),
    ],
)
_OUTSIDE = Ask(
    "outside",
    _("Outside of them"),
    "choice",
    MEASURED,
    lambda column: [("", _("refuse")), (CLIP, _("move to the bound"))],
)
_INDICATOR = Ask("indicator", _("One more column says that it was missing"), "flag", "missing")

KINDS: Mapping[str, Kind] = {
    "numeric": Kind(
        _("numeric"),
        _(
            "Bounds come from what the column means, never from records: everybody sees them. With fixed numbers it is "
            "read as (value - offset) / scale."
        ),
        (
            _READING,
            Ask("minimum", _("Minimum"), when=MEASURED),
            Ask("maximum", _("Maximum"), when=MEASURED),
            _OUTSIDE,
            Ask("offset", _("Offset"), when=FIXED),
            Ask("scale", _("Scale"), when=FIXED),
            Ask("missing", _("Missing values"), "choice", choices=_rules((MEAN, _("the mean over all sites")))),
            Ask("value", _("Constant"), when=VALUE),
            _INDICATOR,
        ),
        _numeric,
    ),
    "binary": Kind(
        _("binary"),
        _("0 or 1, read as it is."),
        (
            Ask("missing", _("Missing values"), "choice", choices=_rules()),
            Ask("value", _("Constant"), "choice", VALUE, lambda column: [("0", "0"), ("1", "1")]),
            _INDICATOR,
        ),
        _binary,
    ),
    "categorical": Kind(
        _("categorical"),
        _("One input a category; the first is what the others are compared to. A comma parts them."),
        (
            Ask("categories", _("Categories"), "text"),
            Ask("missing", _("Missing values"), "choice", choices=_rules((CATEGORY, _("a category of its own")))),
            Ask(
                "value",
                _("Constant"),
                "choice",
                VALUE,
                lambda column: [(text, text) for text in column.by_text],
            ),
        ),
        _categorical,
    ),
}
