"""A model's card, filled from provenance: nobody writes it, so nobody can write it wrong."""

from typing import Any

from consortium.common import blobs
from training.domain.plan_document import parse_plan
from training.models import Run

FORMAT = "consilium-model-card/1"


def model_card(run: Run) -> dict[str, Any]:
    """Return the card of a completed run's last weights as a JSON document."""
    plan = parse_plan(bytes(blobs.get(consortium_id=run.consortium_id, digest=run.plan_digest).data))
    aggregation = {
        "threshold": plan.terms.threshold,
        "colluders": plan.terms.colluders,
        "ring_bits": plan.training_plan.ring_bits,
    }
    return {
        "format": FORMAT,
        "title": plan.title,
        "model": run.weights,
        "run": str(run.pk),
        "plan": run.plan_digest,
        "decision": run.decision,
        "purpose": plan.purpose,
        "serving_purpose": plan.serving_purpose,
        "algorithm": plan.training["algorithm"],
        "code_digest": plan.code_digest,
        "runner_digest": plan.runner_digest,
        "secure_aggregation": aggregation,
        "differential_privacy": None,
        # Figures of a round are of the weights that it started from, not of those that it ended with.
        "rounds": [_round(run, number) for number in range(1, run.rounds + 1)],
        "limits": [
            "No single update was opened; comparison of sums is not protected against.",
            "Which rows a site read is enforced by its agent, not proven.",
        ],
    }


def _round(run: Run, number: int) -> dict[str, Any]:
    round_ = run.round_set.get(number=number)
    attempt = round_.attempts.get(number=round_.closed_attempt or 0)
    parts = {str(part.organization_id): part for part in attempt.parts.all()}
    return {
        "round": number,
        "attempt": attempt.number,
        "weights": round_.weights,
        "next_weights": round_.next_weights,
        "metrics": round_.metrics,
        "block": round_.closed_block,
        "sites": [
            {"organization": site, "band": parts[site].band, "epoch": parts[site].epoch} for site in attempt.roster
        ],
    }
