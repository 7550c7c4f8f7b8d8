"""The landing page: what waits, how the consortium is, what runs, what happened, one's own consents."""

from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from consent import selectors as consents
from consent.api.views import READERS
from consortium.common.health import findings
from consortium.common.parts import Slice, slices
from consortium.portal import activity, context, health
from consortium.portal.asker import Asker
from consortium.portal.waiting import waiting_for
from training.models import Run
from training.portal import reads

_RUNS_SHOWN = 5


@dataclass(frozen=True)
class OwnConsents:
    """One's own consents: exact for who may read them, and the band that the others see."""

    band: str
    permitting: int | None = None
    subjects: int | None = None
    parts: tuple[Slice, ...] = ()


@require_GET
@login_required
def overview(request: HttpRequest) -> HttpResponse:
    """Where one lands."""
    asker = Asker.of(request)
    things = waiting_for(asker)
    context.remember(asker, len(things))
    shown: dict[str, Any] = {"asker": asker, "things": things, "activity": activity.recent(asker)}
    if asker.user.is_operator and asker.organization is None:
        shown["findings"] = findings()
    if asker.consortium is not None:
        shown |= {
            "figures": health.figures(asker.consortium),
            "runs": _runs(asker),
            "own_consents": _own_consents(asker),
        }
    return render(request, "portal/overview.html", shown)


def _runs(asker: Asker) -> list[Run]:
    ends = [Run.State.COMPLETED, Run.State.CANCELED, Run.State.FAILED]
    return list(reads.runs().filter(consortium=asker.consortium).exclude(state__in=ends)[:_RUNS_SHOWN])


def _own_consents(asker: Asker) -> OwnConsents | None:
    if asker.organization is None or asker.consortium is None:
        return None
    owner = {"consortium_id": asker.consortium.pk, "organization_id": asker.organization.pk}
    bands = {row["organization"]: row["band_label"] for row in consents.bands_of_members(asker.consortium.pk)}
    band = bands.get(str(asker.organization.pk), "")
    if not asker.has(*READERS):
        return OwnConsents(band) if band else None
    numbers = consents.grant_numbers(**owner)
    subjects = consents.subject_count(**owner)
    if not subjects:
        return None
    permitting = numbers["permitting_subjects"]
    parts = slices((permitting, "settled", _("permit")), (subjects - permitting, "refused", _("permit nothing now")))
    return OwnConsents(band, permitting, subjects, tuple(parts))
