"""Consents: refused lines, withdrawals under way, a silent agent, no data set. For the organization's own eyes."""

from collections.abc import Iterator
from datetime import timedelta

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consent import selectors
from consent.models import DataSet, Withdrawal
from consortium.common.parts import Waiting
from consortium.common.times import ago
from consortium.membership.models import Membership, SitePresence
from consortium.portal.asker import Asker

# An agent polls every second or so, and a withdrawal takes one block or two.
SILENT_AFTER = timedelta(minutes=5)
SLOW_AFTER = timedelta(minutes=1)


def imports(asker: Asker) -> Iterator[Waiting]:
    """The last import, if lines of it were refused."""
    if not asker.has("steward") or asker.organization is None or asker.consortium is None:
        return
    last = selectors.imports(asker.organization.pk).filter(consortium=asker.consortium).first()
    if last is not None and last.refused:
        title = ngettext(
            "%(n)s line of the last consent import was refused",
            "%(n)s lines of the last consent import were refused",
            last.refused,
        )
        yield Waiting(
            urgency=2,
            icon="file-warning",
            title=title % {"n": last.refused},
            text=_("%(n)s went in. Whoever stands in a refused line stays under the earlier consent.")
            % {"n": last.accepted},
            url=reverse("import", args=[last.pk]),
            act=_("See the lines"),
            since=last.created_at,
            is_private=True,
        )


def withdrawals(asker: Asker) -> Iterator[Waiting]:
    if not asker.has("steward") or asker.organization is None:
        return
    slow = selectors.withdrawals(asker.organization.pk).exclude(state=Withdrawal.State.CONFIRMED)
    slow = slow.filter(created_at__lt=timezone.now() - SLOW_AFTER)
    if count := slow.count():
        oldest = slow.order_by("created_at")[0]
        title = ngettext("%(n)s withdrawal is not confirmed", "%(n)s withdrawals are not confirmed", count)
        yield Waiting(
            urgency=1,
            icon="undo-2",
            title=title % {"n": count},
            text=_("The platform counts the consent as withdrawn already; rounds are bound once the chain says so."),
            url=reverse("withdrawal", args=[oldest.pk]),
            act=_("See how far it is"),
            since=oldest.created_at,
            is_private=True,
        )


def agent(asker: Asker) -> Iterator[Waiting]:
    """The agent of a member that was not heard of for long."""
    if not asker.has("steward", "admin") or not _is_member(asker):
        return
    seen = SitePresence.objects.filter(organization=asker.organization).first()
    if seen is None or seen.seen_at < timezone.now() - SILENT_AFTER:
        text = _("Last heard of %(ago)s.") % {"ago": ago(seen.seen_at)} if seen else _("It was never heard of here.")
        yield Waiting(
            urgency=2,
            icon="power",
            title=_("Your agent is silent"),
            text=text + " " + _("Without it no round uses your records, and withdrawals wait."),
            url=reverse("members") + "#agent",
            act=_("How to start it"),
            since=seen.seen_at if seen else None,
            is_private=True,
        )


def data_sets(asker: Asker) -> Iterator[Waiting]:
    if not asker.has("steward") or not _is_member(asker):
        return
    if not DataSet.objects.filter(organization=asker.organization, consortium=asker.consortium).exists():
        yield Waiting(
            urgency=5,
            icon="database",
            title=_("No data set of yours is registered"),
            text=_("Plans can name only columns that a site has described. Your agent registers them; no row leaves."),
            url=reverse("data_sets"),
            act=_("How to register one"),
        )


def _is_member(asker: Asker) -> bool:
    if asker.organization is None or asker.consortium is None:
        return False
    rows = asker.consortium.memberships.all()
    return any(r.organization_id == asker.organization.pk and r.status == Membership.Status.ACTIVE for r in rows)
