"""How columns of each kind become features: what the form asks of them, and what the document says."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Column:
    """A column that all chosen data sets have; categories in the order of the first data set."""

    name: str
    kind: str
    categories: tuple[str | int, ...] = ()
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """One number that the form asks of a column of a kind."""

    name: str
    label: str | Promise
    default: float
    is_positive: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of column: its word, what is asked of it, and the feature that it makes."""

    label: str | Promise
    help: str | Promise
    asks: tuple[Ask, ...]
    feature: Callable[[Column, Mapping[str, float]], dict[str, Any]]


KINDS: Mapping[str, Kind] = {
    "numeric": Kind(
        _("numeric"),
        _("Read as (value - offset) / scale, fixed here: a mean taken from records would be a disclosure of its own."),
        (Ask("offset", _("Offset"), 0.0), Ask("scale", _("Scale"), 1.0, is_positive=True)),
        lambda column, numbers: {"name": column.name, "kind": "numeric", **numbers},
    ),
    "binary": Kind(
        _("binary"),
        _("0 or 1, read as it is."),
        (),
        lambda column, numbers: {"name": column.name, "kind": "binary"},
    ),
    "categorical": Kind(
        _("categorical"),
        _("One coefficient a category; the first is what the others are compared to."),
        (),
        lambda column, numbers: {"name": column.name, "kind": "categorical", "categories": list(column.categories)},
    ),
}
