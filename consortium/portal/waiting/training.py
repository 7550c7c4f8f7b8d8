"""Training: what a scientist's organization has begun and not brought to an end."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _

from consortium.common.parts import Waiting
from consortium.portal.asker import Asker
from training.models import Model, Plan, Run

_SHOWN = 3


def plans(asker: Asker) -> Iterator[Waiting]:
    if not _is_asked(asker):
        return
    own = Plan.objects.filter(organization=asker.organization, consortium=asker.consortium).order_by("created_at")
    for plan in own.filter(state=Plan.State.APPROVED, runs__isnull=True)[:_SHOWN]:
        yield _about_plan(
            plan, 3, _("Approved, and never run. A run uses the consents of its moment."), _("Start a run")
        )
    for plan in own.filter(state=Plan.State.DRAFT)[:_SHOWN]:
        yield _about_plan(plan, 5, _("A draft, not put to the vote. A voter proposes it."), _("Read the draft"))


def runs(asker: Asker) -> Iterator[Waiting]:
    if not _is_asked(asker):
        return
    own = Run.objects.filter(organization=asker.organization, consortium=asker.consortium).select_related("plan")
    for run in own.filter(state=Run.State.PAUSED).order_by("created_at")[:_SHOWN]:
        text = _("It is paused and holds its sites' budget. Resume or cancel it.")
        yield _about_run(run, 2, "pause", _("Paused: %(title)s"), text, _("See the run"))
    for run in own.filter(state=Run.State.FAILED).order_by("-created_at")[:_SHOWN]:
        if not own.filter(plan_digest=run.plan_digest, created_at__gt=run.created_at).exists():
            text = run.failure_text or _("No reason was kept.")
            yield _about_run(run, 3, "octagon-alert", _("Failed: %(title)s"), text, _("See why"))


def models(asker: Asker) -> Iterator[Waiting]:
    if not _is_asked(asker):
        return
    candidates = Model.objects.filter(consortium=asker.consortium, state=Model.State.CANDIDATE, proposal__isnull=True)
    for model in candidates.filter(organization=asker.organization).select_related("run__plan")[:_SHOWN]:
        title = model.run.plan.title if model.run.plan else _("a model")
        yield Waiting(
            urgency=4,
            icon="box",
            title=_("Candidate: %(title)s") % {"title": title},
            text=_("Nobody has proposed its release. It answers nothing until the members release it."),
            url=reverse("model", args=[model.pk]),
            act=_("Read its card"),
            since=model.created_at,
        )


def _is_asked(asker: Asker) -> bool:
    return asker.has("scientist") and asker.organization is not None and asker.consortium is not None


def _about_plan(plan: Plan, urgency: int, text: str, act: str) -> Waiting:
    url = reverse("plan", args=[plan.pk])
    return Waiting(urgency, "clipboard-list", plan.title, text, url, act, since=plan.created_at)


def _about_run(run: Run, urgency: int, icon: str, title: str, text: str, act: str) -> Waiting:
    words = title % {"title": run.plan.title if run.plan else _("a run")}
    return Waiting(urgency, icon, words, text, reverse("run", args=[run.pk]), act, since=run.started_at)
