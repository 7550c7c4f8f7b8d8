"""What a deployment does for its logs all the time: integrate what was recorded, sign what grew."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from audit.log.checkpoints import sign_checkpoint
from audit.log.integration import integrate_all
from audit.models import AuditLeaf, AuditLog, Checkpoint
from consortium.common.tenancy import act_for_all


@dataclass(frozen=True, slots=True)
class Upkeep:
    """What one turn did."""

    integrated: int
    signed: tuple[Checkpoint, ...] = ()


def keep_up(*, sign: bool) -> Upkeep:
    """Integrate every waiting record and, if asked, sign a checkpoint of every log that has grown."""
    integrated = integrate_all()
    return Upkeep(integrated, tuple(sign_checkpoint(log) for log in grown_logs()) if sign else ())


def grown_logs() -> list[AuditLog]:
    """Return the logs that have leaves beyond their last checkpoint."""
    last = AuditLeaf.objects.filter(log=OuterRef("pk")).order_by("-index").values("index")[:1]
    signed = Checkpoint.objects.filter(log=OuterRef("pk")).order_by("-size").values("size")[:1]
    with transaction.atomic(), act_for_all():
        logs = AuditLog.objects.annotate(last=Subquery(last), signed=Coalesce(Subquery(signed), 0))
        return list(logs.filter(last__gte=F("signed")))
