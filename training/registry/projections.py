"""What the model registry's events make of models."""

from uuid import UUID

from audit.acts import Actor, Subject
from audit.recorder import record_once
from consortium.kernel.digests import bytes32_to_digest
from consortium.kernel.identifiers import bytes32_to_uuid, to_hex
from contracts.events import ChainEvent
from contracts.projections import projects
from contracts.reading.read_models import CHAIN_BACKED, read_model
from training.domain.states import ModelState
from training.models import Model

PROJECTOR = Actor.system("projector")
REGISTRY = "ModelRegistry"
_UNSAID = "CASE chain_state WHEN 'confirmed' THEN {} ELSE {} END"
read_model(
    Model,
    before=CHAIN_BACKED
    | {
        "state": _UNSAID.format("'candidate'", "state"),
        "proposal_id": _UNSAID.format("NULL", "proposal_id"),
        "released_block": "NULL",
        "recalled_block": "NULL",
    },
    written=("card_digest",),
    ours={
        "created_at": "our clock",
        "consortium_id": "names the row",
        "organization_id": "the run's author, who registers",
        "run_id": "the run's last weights are the model",
        "digest": "names the row",
        "registration_work": "what the author's agent was asked",
    },
)


@projects("ModelRegistered", contract=REGISTRY)
def model_registered(consortium_id: UUID, event: ChainEvent) -> None:
    arguments = event.arguments
    digest, card = bytes32_to_digest(arguments["model"]), bytes32_to_digest(arguments["card"])
    run_id = bytes32_to_uuid(arguments["run"])
    model, _ = Model.objects.get_or_create(
        consortium_id=consortium_id,
        digest=digest,
        defaults={
            "run_id": run_id,
            "organization_id": bytes32_to_uuid(arguments["author"]),
            "card_digest": card,
        },
    )
    Model.objects.filter(pk=model.pk).update(
        chain_state="confirmed",
        confirmed_block=event.block_number,
        transaction_hash=to_hex(event.transaction_hash),
        card_digest=card,
    )
    record_once(
        event.key,
        action="model.candidate.register",
        consortium_id=consortium_id,
        actor=PROJECTOR,
        subject=Subject("model", str(model.pk)),
        data={"run": str(run_id), "digest": digest, "card": card, "block": event.block_number},
    )


@projects("ModelReleased", contract=REGISTRY)
def model_released(consortium_id: UUID, event: ChainEvent) -> None:
    """Release a model; one of the same plan that served before is superseded."""
    model = _model(consortium_id, event)
    Model.objects.filter(pk=model.pk).update(state=ModelState.RELEASED, released_block=event.block_number)
    before = Model.objects.filter(
        consortium_id=consortium_id, run__plan_digest=model.run.plan_digest, state=ModelState.RELEASED
    )
    before.exclude(pk=model.pk).update(state=ModelState.SUPERSEDED)


@projects("ModelRecalled", contract=REGISTRY)
def model_recalled(consortium_id: UUID, event: ChainEvent) -> None:
    model = _model(consortium_id, event)
    Model.objects.filter(pk=model.pk).update(state=ModelState.RECALLED, recalled_block=event.block_number)


def _model(consortium_id: UUID, event: ChainEvent) -> Model:
    digest = bytes32_to_digest(event.arguments["model"])
    return Model.objects.select_related("run").get(consortium_id=consortium_id, digest=digest)
