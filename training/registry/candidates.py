"""Candidates: the last weights of a completed run, registered with the signature of its plan's author."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from consortium.common import blobs
from consortium.common.correlation import following
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.eip712 import Domain
from consortium.kernel.identifiers import uuid_to_bytes32
from consortium.membership.channel import work
from consortium.membership.models import WorkItem
from contracts import outbox
from contracts.models import ContractDeployment
from training.coordination.following import correlation_of_run
from training.coordination.signatures import SiteSignatures
from training.domain.messages import read_signature
from training.domain.states import RunState
from training.errors import AnswerInvalidError
from training.federated.errors import SignatureRefusedError, WireFormatError
from training.federated.wire import read_object
from training.models import Model, Run
from training.registry.cards import model_card

REGISTRY = "ModelRegistry"
KIND = "register"
# An author's agent may be away for a weekend.
SIGNATURE_DAYS = 7


def make_candidates() -> int:
    """Make the candidates of completed runs that have none; return how many."""
    due = Run.objects.filter(state=RunState.COMPLETED, model__isnull=True, plan__isnull=False)
    return sum(_make(run.pk) for run in due)


def register_signed() -> int:
    """Pass on the registrations that authors have signed, ask again for what was refused; return how many."""
    waiting = Model.objects.filter(chain_state="recorded", registration_work__isnull=False)
    return sum(_register(model) for model in waiting)


def _make(run_id: UUID) -> int:
    with transaction.atomic():
        run = Run.objects.select_for_update(no_key=True).get(pk=run_id)
        if Model.objects.filter(run=run).exists():
            return 0
        card = blobs.put_document(consortium_id=run.consortium_id, document=model_card(run))
        model = Model.objects.create(
            consortium_id=run.consortium_id,
            organization_id=run.organization_id,
            run=run,
            digest=run.weights,
            card_digest=card,
        )
        _ask(model)
    return 1


def _ask(model: Model) -> None:
    item = work.publish(
        consortium_id=model.consortium_id,
        organization_id=model.organization_id,
        kind=KIND,
        payload={"run": str(model.run_id), "model": model.digest, "card": model.card_digest},
        deadline=timezone.now() + timedelta(days=SIGNATURE_DAYS),
        fence=model.run.fence,
    )
    Model.objects.filter(pk=model.pk).update(registration_work=item.pk)


def _register(model: Model) -> int:
    done = WorkItem.objects.filter(state=WorkItem.State.DONE)
    item = done.filter(pk=model.registration_work).first() if model.registration_work else None
    if item is None:
        return 0
    with transaction.atomic():
        try:
            signature = _signature(model, item)
        except (AnswerInvalidError, SignatureRefusedError, WireFormatError):
            # Asked again: the candidate waits for its author, and for nobody else.
            _ask(model)
            return 0
        with following(correlation_of_run(model.run_id)):
            outbox.enqueue(
                consortium_id=model.consortium_id,
                contract=REGISTRY,
                function="registerCandidate",
                arguments=[*_fields(model).values(), signature],
                idempotency_key=f"model:{model.pk}:register",
            )
        Model.objects.filter(pk=model.pk, chain_state="recorded").update(chain_state="submitted")
    return 1


def _signature(model: Model, item: WorkItem) -> bytes:
    answer = read_object(item.result, ("signature",), what="answer to register")
    signature = read_signature(answer["signature"])
    registry = ContractDeployment.objects.get(consortium_id=model.consortium_id, name=REGISTRY)
    domain = Domain(REGISTRY, model.consortium.chain_id, registry.address)
    SiteSignatures(model.consortium_id, domain).verify(
        model.organization_id, "RegisterCandidate", _fields(model), signature
    )
    return signature


def _fields(model: Model) -> dict[str, int | bytes]:
    return {
        "model": digest_to_bytes32(model.digest),
        "run": uuid_to_bytes32(model.run_id),
        "card": digest_to_bytes32(model.card_digest),
    }
