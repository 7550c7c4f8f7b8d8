"""The two timelines of a proposal: how firmly it stands for everybody, and what happens next."""

from django.utils.translation import gettext as _

from audit.log.states import with_state
from audit.models import AuditRecord
from consortium.common.parts import Step
from consortium.governance.models import Proposal
from contracts.models import OutboxTransaction

_ENDED_WELL = Proposal.State.EXECUTED
_WORDS_OF_END = {
    Proposal.State.DEFEATED: "Defeated",
    Proposal.State.CANCELED: "Canceled",
    Proposal.State.EXPIRED: "Expired",
}


def proof_steps(proposal: Proposal) -> list[Step]:
    """Recorded, submitted, confirmed, anchored: each done, or still to come."""
    sent = OutboxTransaction.objects.filter(
        consortium_id=proposal.consortium_id, idempotency_key=f"proposal:{proposal.pk}"
    ).first()
    by = _("by %(name)s") % {"name": proposal.organization}
    steps = [Step(_("Recorded"), by, proposal.created_at, digest=proposal.document_digest)]
    if proposal.chain_state == "failed":
        return [*steps, Step(_("Refused"), _("by its contract"), state="failed", icon="circle-x")]
    if sent is not None and sent.submitted_at:
        steps.append(Step(_("Submitted"), _("by the platform's relay"), sent.submitted_at))
    elif proposal.confirmed_block is None:
        steps.append(Step(_("Submitted"), state="todo", icon="send"))
    if proposal.confirmed_block is not None:
        block = _("in block %(block)s") % {"block": f"{proposal.confirmed_block:,}"}
        steps.append(Step(_("Confirmed"), block, digest=proposal.transaction_hash))
    else:
        steps.append(Step(_("Confirmed"), state="todo", icon="check"))
    return [*steps, _anchored(proposal)]


def _anchored(proposal: Proposal) -> Step:
    records = AuditRecord.objects.filter(
        log__consortium_id=proposal.consortium_id, subject_kind="proposal", subject_id=str(proposal.pk)
    )
    first = with_state(records).order_by("recorded_at").first()
    if first is not None and first.state == "anchored":
        leaf = _("as leaf %(leaf)s of the log") % {"leaf": f"{first.leaf_index:,}"}
        return Step(_("Anchored"), leaf, icon="anchor", digest=first.digest)
    return Step(_("Anchored with the log"), state="todo", icon="anchor")


def next_steps(proposal: Proposal) -> list[Step]:
    """What happens from the vote to its end."""
    is_open = proposal.is_open
    steps = [Step(_("Voting"), when=proposal.closes_at, state="now" if is_open else "done", icon="vote")]
    if proposal.state in _WORDS_OF_END:
        words = _("Vetoed") if proposal.vetoed_by else _(_WORDS_OF_END[Proposal.State(proposal.state)])
        return [*steps, Step(words, _block(proposal), state="failed", icon="circle-x")]
    if proposal.is_act:
        state = "todo" if is_open else "done" if proposal.state == _ENDED_WELL else "now"
        steps.append(Step(_("Timelock"), when=proposal.executable_at, state=state, icon="clock-3"))
    if proposal.state == _ENDED_WELL:
        return [*steps, Step(_("Carried out"), _block(proposal))]
    last = _("Carried out, if it passes") if is_open else _("Carried out, unless it is vetoed")
    return [*steps, Step(last, state="todo", icon="check")]


def _block(proposal: Proposal) -> str:
    if proposal.settled_block is None:
        return ""
    return _("in block %(block)s") % {"block": f"{proposal.settled_block:,}"}
