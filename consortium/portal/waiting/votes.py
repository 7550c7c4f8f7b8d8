"""Votes: open proposals without one's organization's ballot, acts a guardian may stop, applicants nobody proposed."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.translation import gettext as _

from consortium.common.parts import Waiting
from consortium.governance import selectors
from consortium.governance.models import Proposal
from consortium.governance.portal.titles import names_for, organization_of, sentence_of, title_of
from consortium.membership.models import Membership
from consortium.portal.asker import Asker


def open_proposals(asker: Asker) -> Iterator[Waiting]:
    if not asker.has("voter", "admin") or asker.organization is None or asker.consortium is None:
        return
    waiting = selectors.waiting_for(asker.organization.pk, asker.consortium.pk)
    names = names_for(waiting)
    for proposal in waiting:
        yield Waiting(
            urgency=1,
            icon="vote",
            title=_("Vote: %(title)s") % {"title": title_of(proposal, names)},
            text=sentence_of(proposal, is_ones_own=True),
            url=reverse("proposal", args=[proposal.pk]),
            act=_("Read the proposal"),
            due=proposal.closes_at,
        )


def vetoable(asker: Asker) -> Iterator[Waiting]:
    """Acts that were voted and wait, for a guardian that has not signed against them: until they are carried out."""
    if not asker.has("voter", "admin") or asker.organization is None or asker.consortium is None:
        return
    waiting = selectors.unsigned_by(asker.organization.pk, asker.consortium.pk)
    names = names_for(waiting)
    for proposal in waiting:
        yield Waiting(
            urgency=2,
            icon="octagon-alert",
            title=_("Voted and waiting: %(title)s") % {"title": title_of(proposal, names)},
            text=_("Your organization is a guardian: it may sign a veto until this is carried out."),
            url=reverse("proposal", args=[proposal.pk]) + "#veto",
            act=_("Read before it is carried out"),
            due=proposal.executable_at,
        )


def applicants(asker: Asker) -> Iterator[Waiting]:
    if not asker.has("voter", "admin") or asker.organization is None or asker.consortium is None:
        return
    waiting = Membership.objects.filter(consortium=asker.consortium, status=Membership.Status.APPLICANT)
    waiting = waiting.exclude(organization=asker.organization).select_related("organization")
    if not waiting:
        return
    proposed = Proposal.objects.filter(consortium=asker.consortium, kind="admit", state__in=selectors.UNDECIDED)
    named = {organization_of(proposal) for proposal in proposed}
    for membership in waiting:
        if membership.organization_id not in named:
            yield Waiting(
                urgency=4,
                icon="building-2",
                title=_("%(name)s applies for admission") % {"name": membership.organization.name},
                text=_("No member has proposed it yet. A voter of any member does so at its member page."),
                url=reverse("member", args=[membership.organization_id]),
                act=_("Read the application"),
                since=membership.created_at,
            )
