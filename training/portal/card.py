"""A model's card for its page: how good it is, where it comes from, what may be done with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from training.domain.states import ModelState
from training.models import Model
from training.portal.attendance import band_in_words
from training.portal.hues import Sites
from training.portal.learning import figure
from training.portal.lineage import Late, Picture, Source, picture_of


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure with its interval on an axis, in per cent of the axis; without one there is no picture."""

    title: str
    value: str
    note: str
    point: str = ""
    start: str = ""
    width: str = ""


def metrics_of(card: Mapping[str, Any]) -> tuple[list[Metric], str]:
    """Return the figures of the last round that was measured, and what they are of."""
    measured = [entry for entry in card.get("rounds", []) if entry.get("metrics")]
    if not measured:
        return [], ""
    found, number = measured[-1]["metrics"], measured[-1].get("round")
    return [
        _auc(found),
        _share(_("Accuracy"), found.get("accuracy"), 0.0, 1.0, _("at a risk of one half")),
        _share(_("Calibration error"), found.get("calibration_error"), 0.0, 0.25, _("lower is better")),
        Metric(_("Rows measured on"), band_in_words(found.get("rows_band")), _("banded, over all sites")),
    ], _("Of the weights that entered round %(n)s, on the rows that trained it") % {"n": number}


def sources_of(card: Mapping[str, Any], sites: Sites) -> list[Source]:
    """Return each site's part in the rounds, in the order of names."""
    parts: dict[UUID, list[Mapping[str, Any]]] = {}
    for entry in card.get("rounds", []):
        for part in entry.get("sites", []):
            parts.setdefault(UUID(part["organization"]), []).append(part)
    found = [
        Source(
            site=sites[identifier],
            epochs=_epochs([part["epoch"] for part in read if isinstance(part.get("epoch"), int)]),
            cohort=band_in_words(read[-1].get("band")),
            joined=len(read),
            url=f"{reverse('audit')}?action=consent.epoch.anchor&subject={identifier}",
        )
        for identifier, read in parts.items()
    ]
    return sorted(found, key=lambda source: source.site.name)


def lineage_of(model: Model, card: Mapping[str, Any], sources: Sequence[Source]) -> Picture:
    """Return the picture from consents to the vote."""
    rounds = [int(entry.get("attempt") or 1) for entry in card.get("rounds", [])]
    run = Late(
        ngettext("%(n)d round", "%(n)d rounds", len(rounds)) % {"n": len(rounds)},
        ngettext("%(n)d attempt", "%(n)d attempts", sum(rounds)) % {"n": sum(rounds)},
        reverse("run", args=[model.run_id]),
    )
    later = (
        Late(_("These weights"), _short(model.digest), _follow(model.digest), code=True),
        Late(_("Its card"), _short(model.card_digest), _follow(model.card_digest), code=True),
        _vote(model),
    )
    return picture_of(sources, rounds, sum(rounds), run, later)


def _vote(model: Model) -> Late:
    url = reverse("proposal", args=[model.proposal_id]) if model.proposal_id else ""
    if model.released_block is not None:
        state = _("Recalled") if model.state == ModelState.RECALLED else _("Released")
        return Late(state, _("block %(n)s") % {"n": f"{model.released_block:,}"}, url, good=not model.recalled_block)
    return Late(str(model.get_state_display()), _("no release yet"), url)


def _auc(found: Mapping[str, Any]) -> Metric:
    value, error = found.get("auc"), found.get("auc_error_bound")
    if not isinstance(value, int | float):
        return Metric(_("AUC"), "-", _("not measured"))
    bound = error if isinstance(error, int | float) else 0.0
    low, high = max(0.5, value - bound), min(1.0, value + bound)
    note = _("exact within %(bound)s") % {"bound": figure(bound, digits=4)}
    return Metric(
        _("AUC"), figure(value), note, _per_cent(value, 0.5, 1.0), _per_cent(low, 0.5, 1.0), _width(low, high, 0.5)
    )


def _share(title: str, value: object, low: float, high: float, note: str) -> Metric:
    if not isinstance(value, int | float):
        return Metric(title, "-", _("not measured"))
    return Metric(title, figure(value), note, _per_cent(value, low, high))


def _per_cent(value: float, low: float, high: float) -> str:
    return f"{100 * min(max((value - low) / (high - low), 0.0), 1.0):.1f}%"


def _width(start: float, end: float, span: float) -> str:
    return f"{max(100 * (end - start) / span, 1.0):.1f}%"


def _epochs(epochs: Sequence[int]) -> str:
    if not epochs:
        return _("epoch not stated")
    if min(epochs) == max(epochs):
        return _("epoch %(n)s") % {"n": f"{epochs[0]:,}"}
    return _("epochs %(a)s to %(b)s") % {"a": f"{min(epochs):,}", "b": f"{max(epochs):,}"}


def _short(digest: str) -> str:
    text = digest.removeprefix("sha256:")
    return f"{text[:4]}…{text[-4:]}"


def _follow(digest: str) -> str:
    return reverse("follow", args=[digest])
