"""What the exporter's own log says of predictions that its people asked for; their rows as a band."""

from collections import defaultdict
from uuid import UUID

from audit.compliance.evidence import PredictionFacts
from audit.compliance.periods import Period
from audit.compliance.training_facts import TrainingFacts
from audit.content import written_time
from audit.models import AuditRecord
from audit.models.records import Outcome
from consortium.kernel.bands import band, band_label
from training import selectors as training

_ACTION = "model.prediction.serve"


def prediction_facts(
    *, consortium_id: UUID, organization_id: UUID | None, facts: TrainingFacts, period: Period
) -> list[PredictionFacts]:
    """Return the predictions of the period by models of this consortium, one a model; none for an auditor."""
    if organization_id is None:
        return []
    plans = {run.id: run.plan for run in facts.runs}
    models = {str(model.pk): model for model in training.models(consortium_id)}
    found = []
    for model_id, served in sorted(_served(organization_id, period).items()):
        if (model := models.get(model_id)) is None:
            continue
        plan = plans.get(str(model.run_id))
        times = [time for time, _ in served]
        found.append(
            PredictionFacts(
                model=model.digest,
                purpose=plan.serving_purpose if plan else "",
                purpose_code=plan.serving_code if plan else "",
                first=min(times),
                last=max(times),
                requests=len(served),
                rows=band_label(band(sum(rows for _, rows in served))),
            )
        )
    return found


def _served(organization_id: UUID, period: Period) -> dict[str, list[tuple[str, int]]]:
    own = AuditRecord.objects.filter(log__organization_id=organization_id, action=_ACTION, outcome=Outcome.SUCCEEDED)
    served: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for model_id, moment, body in own.values_list("subject_id", "recorded_at", "body"):
        if period.covers(time := written_time(moment)):
            served[model_id].append((time, int(body["rows"])))
    return served
