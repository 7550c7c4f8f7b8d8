"""The figures of a consortium's health, as the platform's records have them."""

from dataclasses import dataclass
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.models import Anchor, WitnessRule
from consortium.common.times import span
from consortium.membership.models import Consortium, Membership
from contracts.models import ChainCursor, ChainEventRecord

# A QBFT network seals on with less than a third of its validators faulty.
_FAULTS_SHARE = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: what it is, its value with unit, and what it means."""

    icon: str
    label: str
    value: str
    unit: str = ""
    note: str = ""


def figures(consortium: Consortium) -> list[Figure]:
    """Members, validators, the last block read, the log's last anchor."""
    return [_members(consortium), _validators(consortium), _block(consortium), _anchored(consortium)]


def last_anchor(consortium_id: UUID) -> Anchor | None:
    """The newest confirmed anchor of the consortium's own log."""
    found = Anchor.objects.filter(checkpoint__log__consortium_id=consortium_id, chain_state="confirmed")
    return found.select_related("checkpoint").order_by("-checkpoint__size").first()


def _members(consortium: Consortium) -> Figure:
    statuses = [row.status for row in consortium.memberships.all()]
    applicants, suspended = (statuses.count(s) for s in (Membership.Status.APPLICANT, Membership.Status.SUSPENDED))
    applying = ngettext("%(n)s applicant", "%(n)s applicants", applicants) % {"n": applicants}
    note = f"{applying}, " + (_("%(n)s suspended") % {"n": suspended} if suspended else _("none suspended"))
    return Figure("building-2", _("Members"), str(statuses.count(Membership.Status.ACTIVE)), _("active"), note)


def _validators(consortium: Consortium) -> Figure:
    """Who may seal blocks, as the registry's events have it; whether they do, only a member's own node sees."""
    events = ChainEventRecord.objects.filter(
        consortium_id=consortium.pk, name__in=["ValidatorActivated", "ValidatorDeactivated"]
    ).order_by("block_number", "log_index")
    sealing: dict[str, bool] = {}
    for name, arguments in events.values_list("name", "arguments"):
        sealing[str(arguments.get("validator", ""))] = name == "ValidatorActivated"
    count = sum(sealing.values())
    if not count:
        note = _("Members have named their nodes; none is voted in to seal blocks")
        return Figure("server", _("Validators"), "0", _("on record"), note)
    spare = (count - 1) // _FAULTS_SHARE
    note = ngettext("%(n)s may fail without a halt", "%(n)s may fail without a halt", spare) % {"n": spare}
    return Figure("server", _("Validators"), str(count), _("on record"), note)


def _block(consortium: Consortium) -> Figure:
    cursor = ChainCursor.objects.filter(consortium_id=consortium.pk).first()
    if cursor is None or cursor.read_at is None:
        return Figure("blocks", _("Last block read"), "-", note=_("Nothing was read from the chain yet"))
    age = span(timezone.now() - cursor.read_at)
    note = cursor.halted_text or _("Block %(block)s, as this platform read it") % {"block": f"{cursor.position:,}"}
    return Figure("blocks", _("Last block read"), age, _("ago"), note)


def _anchored(consortium: Consortium) -> Figure:
    anchor = last_anchor(consortium.pk)
    if anchor is None:
        return Figure("anchor", _("Audit log anchored"), "-", note=_("No checkpoint is on the chain yet"))
    witnesses = anchor.checkpoint.cosignatures.count()
    rule = WitnessRule.objects.filter(consortium_id=consortium.pk).first()
    needed = _(" (%(n)s needed)") % {"n": rule.quorum} if rule else ""
    note = _("%(size)s records, %(n)s witnesses") % {"size": f"{anchor.checkpoint.size:,}", "n": witnesses} + needed
    age = span(timezone.now() - anchor.checkpoint.created_at)
    return Figure("anchor", _("Audit log anchored"), age, _("ago"), note)
