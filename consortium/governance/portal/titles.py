"""What a proposal is about, in one line of words, and its tally in one sentence."""

from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consortium.governance.models import Proposal
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.identifiers import bytes32_to_uuid, from_hex
from consortium.membership.models import Organization

# Acts whose first argument is the organization that they are about.
ABOUT_AN_ORGANIZATION = (
    "admit",
    "suspend",
    "reinstate",
    "remove",
    "activate_validator",
    "deactivate_validator",
    "replace_key",
)
_WORD_BYTES = 32


def organization_of(proposal: Proposal) -> UUID | None:
    """The organization that an act is about; None for acts about none, and for bytes that are no act."""
    if proposal.kind not in ABOUT_AN_ORGANIZATION:
        return None
    try:
        return bytes32_to_uuid(from_hex(proposal.arguments or "0x")[:_WORD_BYTES])
    except InvalidInputError:
        # Any member may propose any bytes; the chain will refuse these, and no page may fail on them.
        return None


def names_for(proposals: list[Proposal]) -> dict[UUID, str]:
    """The names of the organizations that these proposals are about, in one query."""
    wanted = {found for proposal in proposals if (found := organization_of(proposal))}
    return dict(Organization.objects.filter(pk__in=wanted).values_list("pk", "name")) if wanted else {}


def title_of(proposal: Proposal, names: dict[UUID, str]) -> str:
    """The proposal in words: what it does to whom, else what its author wrote, else its kind."""
    about = organization_of(proposal)
    if about is not None and about in names:
        return _phrases()[proposal.kind] % {"name": names[about]}
    return proposal.description or _kinds().get(proposal.kind, proposal.kind)


def sentence_of(proposal: Proposal, *, is_ones_own: bool) -> str:
    """How the vote stands and what it still needs, in one sentence; `is_ones_own`: the reader may still vote."""
    count = proposal.count()
    if not proposal.base:
        return _("Voting begins once the chain has confirmed the proposal.")
    needed = proposal.yes_needed()
    missing = max(0, needed - count.yes)
    said = ngettext("%(yes)s of %(base)s members said yes", "%(yes)s of %(base)s members said yes", count.yes) % {
        "yes": count.yes,
        "base": proposal.base,
    }
    if not missing:
        return said + _(": enough; it is being carried out.")
    if missing == 1 and is_ones_own:
        return said + _(" and one more is needed: your vote decides.")
    more = ngettext(" and %(n)s more is needed", " and %(n)s more are needed", missing) % {"n": missing}
    if missing > proposal.base - count.cast:
        return said + _("; the %(n)s that are needed cannot be reached.") % {"n": needed}
    return said + more + "."


def _phrases() -> dict[str, str]:
    return {
        "admit": _("Admit %(name)s"),
        "suspend": _("Suspend %(name)s"),
        "reinstate": _("Reinstate %(name)s"),
        "remove": _("Remove %(name)s"),
        "activate_validator": _("Let the node of %(name)s write blocks"),
        "deactivate_validator": _("No longer let the node of %(name)s write blocks"),
        "replace_key": _("Replace a key of %(name)s"),
    }


def _kinds() -> dict[str, str]:
    return {
        "set_policy": _("Adopt another policy"),
        "set_decision_rule": _("Change the numbers of a kind of decision"),
        "set_runner": _("Accept a runner"),
        "set_peer": _("Accept another consortium's proofs"),
        "set_parameters": _("Change the parameters of the registry"),
        "set_guardian": _("Appoint or dismiss a guardian"),
        "approve_plan": _("Approve a training plan"),
        "release_model": _("Release a model"),
        "recall_model": _("Recall a model"),
        "grant_licence": _("Grant a licence on data"),
    }
