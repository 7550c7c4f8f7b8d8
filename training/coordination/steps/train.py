"""Training: the work of all sites is published at once; every masked vector is durable before the next step."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.utils import timezone

from consortium.common import blobs
from consortium.membership.models import WorkItem
from training.backends.base import AttemptTask
from training.coordination.desk import Desk
from training.coordination.errands import Errands
from training.coordination.opening import roster_parts
from training.coordination.vectors import stored_vector
from training.errors import AnswerInvalidError, AttemptFailedError
from training.federated.secagg.masked_vector import MaskedVector, unpack
from training.models import Attempt, SitePart


def train(desk: Desk, round_number: int, number: int) -> None:
    """Collect one masked vector a dealer.

    Raises
    ------
    AttemptFailedError
        If fewer than t came; nothing was revealed.
    """
    attempt = desk.attempt(round_number, number)
    dealers = {site: part for site, part in roster_parts(attempt).items() if part.deal is not None}
    task = desk.task(attempt, tuple(dealers))
    desk.backend.publish(task)
    for part in dealers.values():
        if part.vector:
            desk.backend.deliver(task, stored_vector(desk, part))
    waiting = {site: _payload(attempt, dealers, site) for site, part in dealers.items() if not part.vector}
    errands = Errands(desk, attempt, "train")
    errands.gather(waiting, lambda part, item: _take(desk, task, part, item), seconds=desk.patience.train)
    _end_lost(desk, attempt, task)
    vectors = attempt.parts.exclude(vector="").count()
    if vectors < desk.plan.terms.threshold:
        raise AttemptFailedError(
            "too_few_survivors", f"{vectors} masked vectors are fewer than t={desk.plan.terms.threshold}."
        )
    with desk.write():
        desk.advance(attempt, collected_at=timezone.now())
    desk.at("collected")


def _payload(attempt: Attempt, dealers: Mapping[UUID, SitePart], site: UUID) -> dict[str, Any]:
    addressed = [share for part in dealers.values() for share in part.shares or [] if share["holder"] == str(site)]
    return {"weights": attempt.weights, "deals": [part.deal for part in dealers.values()], "shares": addressed}


def _take(desk: Desk, task: AttemptTask, part: SitePart, item: WorkItem) -> None:
    if item.result_bytes is None:
        raise AnswerInvalidError("The answer to train is the masked vector's bytes.")
    vector = MaskedVector(part.organization_id, bytes(item.result_bytes))
    unpack(vector, size=task.size, ring_bits=task.ring_bits)
    part.vector = blobs.put(consortium_id=desk.consortium_id, data=vector.data, media_type=blobs.SAFETENSORS_TYPE)
    part.save(update_fields=["vector"])
    desk.backend.deliver(task, vector)
    desk.keep_lineage()


def _end_lost(desk: Desk, attempt: Attempt, task: AttemptTask) -> None:
    for part in attempt.parts.filter(organization_id__in=task.sites, vector=""):
        desk.backend.lose(task, part.organization_id, part.code)
    with desk.write():
        desk.keep_lineage()
