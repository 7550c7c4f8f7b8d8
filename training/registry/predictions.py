"""Serving: a released model answers rows of its plan's schema, in plain numpy, and nothing else answers at all."""

from typing import Any
from uuid import UUID

from audit.acts import Actor, Subject
from audit.recorder import record
from consortium.common import blobs
from training.access import access_model
from training.domain.plan_document import parse_plan
from training.domain.schema import check_rows
from training.domain.states import ModelState
from training.errors import ModelNotReleasedError
from training.federated.plan_code import score_rows


def predict(*, model_id: UUID, rows: Any, organization_id: UUID, actor: Actor) -> dict[str, Any]:
    """Return the probability of the outcome for each row.

    Raises
    ------
    ModelNotReleasedError
        Unless the model is released now.
    InputRefusedError
        For rows that do not fit the plan's features.
    """
    model = access_model(model_id)
    if model.state != ModelState.RELEASED:
        raise ModelNotReleasedError(
            f"The model is {model.state} and answers nothing. Models serve after a vote releases them.",
            state=model.state,
        )
    run = model.run
    plan = parse_plan(bytes(blobs.get(consortium_id=model.consortium_id, digest=run.plan_digest).data))
    checked = check_rows(plan.training_plan, rows)
    weights = bytes(blobs.get(consortium_id=model.consortium_id, digest=model.digest).data)
    scores = score_rows(plan.training_plan, weights, checked)
    record(
        action="model.prediction.serve",
        organization_id=organization_id,
        consortium_id=None,
        actor=actor,
        subject=Subject("model", str(model.pk)),
        data={"digest": model.digest, "rows": len(checked)},
    )
    return {"model": model.digest, "scores": [float(score) for score in scores]}
