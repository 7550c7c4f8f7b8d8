"""The logs' upkeep with their witnesses: integrate, sign what is due, anchor what is co-signed."""

import logging
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction

from audit.log.anchors import CONTRACT, anchor_due
from audit.log.checkpoints import sign_checkpoint
from audit.log.integration import integrate_all
from audit.log.pacing import is_anchor_under_way, is_checkpoint_due
from audit.log.quorums import witness_quorum
from audit.log.upkeep import grown_logs
from audit.models import AuditLog
from consortium.common.tenancy import act_for_all
from consortium.kernel.errors import ConsiliumError
from consortium.membership.models import Membership
from contracts.models import ContractDeployment

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Kept:
    """What one turn did."""

    integrated: int
    signed: int
    anchored: int


def keep_logs() -> Kept:
    """Do what is due for every log, as the system; a damaged log is told of and holds up no other one."""
    integrated = integrate_all()
    signed = sum(_sign_if_due(log) for log in grown_logs())
    return Kept(integrated, signed, sum(_anchor(consortium) for consortium in _anchoring_consortia()))


def witnessed_in(log: AuditLog) -> UUID | None:
    """Return the consortium whose members witness a log: its own, else the first that its organization is active in."""
    if log.organization_id is None:
        return log.consortium_id
    active = Membership.objects.filter(organization_id=log.organization_id, status=Membership.Status.ACTIVE)
    return active.order_by("created_at", "pk").values_list("consortium_id", flat=True).first()


def _sign_if_due(log: AuditLog) -> int:
    try:
        with transaction.atomic(), act_for_all():
            home = witnessed_in(log)
            quorum = witness_quorum(home) if home else None
            if not is_checkpoint_due(log, quorum=quorum):
                return 0
            sign_checkpoint(log, witnessed_in=home)
            return 1
    except ConsiliumError as error:
        logger.error("No checkpoint of %s: %s", log.origin, error.message)
        return 0


def _anchoring_consortia() -> list[UUID]:
    with transaction.atomic(), act_for_all():
        return list(ContractDeployment.objects.filter(name=CONTRACT).values_list("consortium_id", flat=True))


def _anchor(consortium_id: UUID) -> int:
    with transaction.atomic(), act_for_all():
        quorum = witness_quorum(consortium_id)
        if quorum is None or is_anchor_under_way(consortium_id):
            return 0
        return len(anchor_due(consortium_id, quorum=quorum))
