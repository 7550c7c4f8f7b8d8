"""Plans: drafted on the platform, proposed by the author's agent, decided by the members."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.common import blobs
from consortium.common.api import ensure_atomic
from consortium.kernel.identifiers import to_hex
from consortium.membership.access import require_member
from consortium.membership.models import Membership
from training.domain.plan_document import PlanDocument, parse_plan, read_plan
from training.errors import NotAMemberSiteError, PlanExistsError, PlanInvalidError
from training.models import Plan


def draft_plan(
    *, consortium_id: UUID, document: Any, organization_id: UUID, actor: Actor, copied_from: Plan | None = None
) -> Plan:
    """Keep a plan that is sound, ready for its author's agent to propose.

    `copied_from` is the consortium's plan that its author began with, if any: pages show what differs.

    Raises
    ------
    ForbiddenError
        If the organization is no member.
    PlanInvalidError
        Or one of its kinds, naming what is wrong; nothing is kept then.
    PlanExistsError
        If the consortium has a plan of the same bytes.
    """
    ensure_atomic()
    require_member(consortium_id, organization_id)
    plan = read_plan(document)
    _ensure_of(plan, consortium_id)
    digest = plan.digest()
    if Plan.objects.filter(consortium_id=consortium_id, digest=digest).exists():
        raise PlanExistsError(_("The consortium has exactly this plan already. Change its title to vote anew."))
    blobs.put(consortium_id=consortium_id, data=plan.to_bytes(), media_type=blobs.JSON_TYPE)
    row = Plan.objects.create(
        consortium_id=consortium_id,
        organization_id=organization_id,
        title=plan.title,
        digest=digest,
        subject=to_hex(plan.subject()),
        copied_from=copied_from,
    )
    record(
        action="training.plan.draft",
        organization_id=None,
        consortium_id=consortium_id,
        actor=actor,
        subject=Subject("plan", str(row.pk)),
        data={"digest": digest},
    )
    return row


def document_of(plan: Plan) -> PlanDocument:
    """Return the plan's document, checked against its digest by the store's key and parsed strictly."""
    return parse_plan(bytes(blobs.get(consortium_id=plan.consortium_id, digest=plan.digest).data))


def plan_for_signature(plan: Plan) -> dict[str, Any]:
    """Return what the author's agent puts into `OpenDecision`, and computes itself from the document."""
    document = document_of(plan)
    return {
        "plan": str(plan.pk),
        "consortium": str(plan.consortium_id),
        "contract": "DecisionBoard",
        "kind": "approve_plan",
        "subject": plan.subject,
        "policy": plan.consortium.policy_digest,
        "owners": [str(site) for site in document.sites],
        "document_digest": plan.digest,
        "terms": document.terms.to_wire(),
        "description": plan.title,
    }


def _ensure_of(plan: PlanDocument, consortium_id: UUID) -> None:
    if plan.consortium != consortium_id:
        raise PlanInvalidError(_("The plan names another consortium than the one it is drafted in."))
    active = Membership.objects.filter(consortium_id=consortium_id, status=Membership.Status.ACTIVE)
    members = set(active.values_list("organization_id", flat=True))
    strangers = [str(site) for site in (*plan.sites, *plan.recipients) if site not in members]
    if strangers:
        raise NotAMemberSiteError(
            _("Not active members of the consortium: %(names)s.") % {"names": ", ".join(sorted(set(strangers)))}
        )
