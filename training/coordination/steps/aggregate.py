"""Aggregating: secrets rebuilt, the back end's sum unmasked, one step of the strategy, pooled metrics."""

from typing import Any

from django.utils import timezone

from consortium.common import blobs
from consortium.kernel.bands import band
from consortium.kernel.digests import bytes32_to_digest, sha256_digest
from training.coordination.desk import Desk
from training.coordination.opening import deals_of, opened_attempt, roster_parts, survivors_of
from training.coordination.vectors import stored_vector
from training.errors import AttemptFailedError
from training.federated.errors import DealerBlamedError, MetricUndefinedError, RangeCheckError
from training.federated.metrics import pooled_metrics
from training.federated.secagg.coordinator import unmask
from training.federated.secagg.opening import rebuild
from training.federated.secagg.prg import RingVector
from training.federated.secagg.releases import OpenedSecrets, ReleasedShares
from training.federated.secagg.verification import aggregate_digest
from training.federated.strategies.federated_averaging import strategy_step
from training.models import Attempt, Round, SitePart


def aggregate(desk: Desk, round_number: int, number: int) -> None:
    """Open the sum and compute the next weights; all of it is durable before anybody is asked to verify.

    Raises
    ------
    AttemptFailedError
        Naming the dealer whose shares rebuild nothing; or if the sum is none that honest sites can send.
    """
    attempt = desk.attempt(round_number, number)
    total, secrets = _open_sum(desk, attempt)
    survivors = len(secrets.seeds)
    try:
        data = strategy_step(desk.weights_of(attempt), total, desk.plan.training_plan, survivors=survivors)
    except RangeCheckError as error:
        raise AttemptFailedError("blame", error.message) from error
    with desk.write() as run:
        blobs.put(consortium_id=run.consortium_id, data=data, media_type=blobs.SAFETENSORS_TYPE)
        desk.advance(
            attempt,
            aggregate=bytes32_to_digest(aggregate_digest(total)),
            next_weights=sha256_digest(data),
            opened_secrets=secrets.to_wire(),
            aggregated_at=timezone.now(),
        )
        Round.objects.filter(pk=attempt.round_id).update(metrics=_metrics(desk, total, survivors))
        desk.keep_lineage()
    desk.at("aggregated")


def _open_sum(desk: Desk, attempt: Attempt) -> tuple[RingVector, OpenedSecrets]:
    opened, survivors, parts = opened_attempt(desk, attempt), survivors_of(attempt), roster_parts(attempt)
    members = survivors.members(opened)
    releases = {
        site: ReleasedShares.from_wire(part.release) for site, part in parts.items() if part.release is not None
    }
    try:
        secrets = rebuild(opened, deals_of(parts), members, releases)
    except DealerBlamedError as error:
        blamed = attempt.parts.filter(organization_id=error.fields["organization"])
        with desk.write():
            blamed.update(outcome=SitePart.Outcome.REFUSED, step="reveal", code=error.code, text=error.message[:500])
        raise AttemptFailedError("blame", error.message) from error
    vectors = [stored_vector(desk, parts[site]) for site in members]
    total = desk.backend.sum(desk.task(attempt, tuple(deals_of(parts))), vectors)
    unmask(total, opened, survivors, secrets)
    return total, secrets


def _metrics(desk: Desk, total: RingVector, survivors: int) -> dict[str, Any]:
    """Return pooled metrics of the incoming weights; the number of rows only as a band."""
    sums = desk.plan.training_plan.layout().decode(total, addends=survivors)
    try:
        found = pooled_metrics(sums)
    except MetricUndefinedError:
        return {}
    return {
        "auc": found.auc.value,
        "auc_error_bound": found.auc.error_bound,
        "accuracy": found.accuracy,
        "calibration_error": found.calibration_error,
        "rows_band": band(found.rows),
    }
