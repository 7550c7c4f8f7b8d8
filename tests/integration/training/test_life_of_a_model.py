"""From a completed run to a served model: registered by its author, released and recalled by vote, never before."""

import numpy as np
import pytest
from django.db import transaction

from consortium.common import blobs
from consortium.kernel.canonical import parse_canonical
from consortium.kernel.digests import digest_to_bytes32
from consortium.membership.models import WorkItem
from tests.integration.training.platform import PERSON
from training.coordination.waiting import Waiter
from training.errors import InputRefusedError, ModelNotReleasedError, RunNotLiveError
from training.federated.plan_code import score_rows
from training.models import Attempt, Model, Run, RunOrder
from training.registry.candidates import make_candidates, register_signed
from training.registry.predictions import predict
from training.services.plans import plan_for_signature
from training.services.runs import order_run
from training.services.sweep import end_signed, resume_ordered
from training.tasks import sweep_runs

pytestmark = pytest.mark.services
ROW = {"procedure": "bypass", "sex": 1, "age": 70.0}


def until(platform, condition, seconds: float = 15.0):
    with Waiter(platform.check) as waiter:
        found = waiter.until(lambda: condition() or None, seconds=seconds)
    assert found, "the condition was not met in time"
    return found


def serve(model, rows):
    with transaction.atomic():
        return predict(model_id=model.pk, rows=rows, organization_id=model.organization_id, actor=PERSON)


def in_state(model, state: str) -> bool:
    model.refresh_from_db()
    return model.state == state


@pytest.mark.parametrize("changes", [{"rounds": 1}])
def test_a_model_serves_after_its_release_and_not_after_its_recall(platform):
    run = platform.start()
    platform.coordinate(run)
    assert make_candidates() == 1
    assert make_candidates() == 0
    model = Model.objects.get(run=run)
    until(platform, lambda: register_signed() or platform.chain.model_state(model.digest) == 1)
    until(platform, lambda: platform.chain.model_state(model.digest) == 1)
    until(platform, lambda: Model.objects.filter(pk=model.pk, chain_state="confirmed").exists())

    with pytest.raises(ModelNotReleasedError):
        serve(model, [ROW])
    platform.chain.decide(2, digest_to_bytes32(model.digest))
    until(platform, lambda: in_state(model, "released"))
    answer = serve(model, [ROW])
    platform.chain.decide(3, digest_to_bytes32(model.digest))
    until(platform, lambda: in_state(model, "recalled"))

    expected = score_rows(platform.document.training_plan, platform.weights(run), [ROW])
    assert np.array_equal(answer["scores"], expected)
    assert answer["model"] == model.digest == run.weights
    with pytest.raises(ModelNotReleasedError):
        serve(model, [ROW])
    card = parse_canonical(bytes(blobs.get(consortium_id=run.consortium_id, digest=model.card_digest).data))
    assert card["rounds"][0]["next_weights"] == card["model"] == run.weights
    assert [site["band"] for site in card["rounds"][0]["sites"]] == [50, 50, 100, 100, 250]


@pytest.mark.parametrize("changes", [{"rounds": 1}])
def test_a_model_that_was_voted_down_never_serves(platform):
    run = platform.start()
    platform.coordinate(run)
    make_candidates()
    model = Model.objects.get(run=run)

    platform.chain.decide(2, digest_to_bytes32(model.digest), against=3)
    until(platform, lambda: in_state(model, "rejected"))

    with pytest.raises(ModelNotReleasedError):
        serve(model, [ROW])


@pytest.mark.parametrize("changes", [{"rounds": 1}])
def test_rows_that_do_not_fit_are_refused_by_a_released_model(platform):
    run = platform.start()
    platform.coordinate(run)
    make_candidates()
    model = Model.objects.get(run=run)
    Model.objects.filter(pk=model.pk).update(state="released")

    with pytest.raises(InputRefusedError, match="Row 1: Feature procedure"):
        serve(model, [{**ROW, "procedure": "transplant"}])


@pytest.mark.parametrize("changes", [{"rounds": 3}])
def test_a_run_pauses_between_rounds_and_goes_on_with_the_same_weights(platform):
    run = platform.start()

    def order(moment: str) -> None:
        if moment == "dealt" and not RunOrder.objects.exists():
            give(platform, run, "pause")

    platform.coordinate(run, at=order)
    run.refresh_from_db()
    assert run.state == "paused"
    assert not Attempt.objects.filter(run=run).exclude(state__in=["closed", "announced"]).exists()
    give(platform, run, "resume")
    assert resume_ordered() == 1

    assert platform.coordinate(run)

    assert platform.weights(run) == platform.plain_weights(run)
    assert run.state == "completed"


@pytest.mark.parametrize("changes", [{"rounds": 3}])
def test_a_canceled_run_stops_at_once_and_its_author_ends_it_on_the_chain(platform):
    run = platform.start()

    def order(moment: str) -> None:
        if moment == "train_published":
            give(platform, run, "cancel")

    platform.coordinate(run, at=order)

    run.refresh_from_db()
    assert run.state == "canceled"
    assert Attempt.objects.get(run=run).state == "abandoned"
    waiting = WorkItem.objects.filter(state__in=["open", "taken"]).exclude(kind="cancel")
    assert not waiting.exists()
    until(platform, lambda: end_signed() or platform.chain.run_on_chain(run.pk)["status"] == 4)
    until(platform, lambda: platform.chain.run_on_chain(run.pk)["status"] == 4)
    with pytest.raises(RunNotLiveError):
        give(platform, run, "resume")


def give(platform, run, kind: str) -> None:
    with transaction.atomic():
        order_run(run_id=run.pk, kind=kind, reason="", organization_id=platform.author, actor=PERSON)


@pytest.mark.parametrize("changes", [{"rounds": 1}])
def test_the_ledger_refuses_a_plan_that_differs_by_one_byte_from_the_approved_one(platform):
    document = platform.document.to_bytes()
    place = document.index(b'"title":"') + len(b'"title":"')
    changed = document[:place] + b"X" + document[place + 1 :]
    digest = blobs.put(consortium_id=platform.consortium.pk, data=changed)
    run = platform.start()
    Run.objects.filter(pk=run.pk).update(plan_digest=digest)

    platform.coordinate(run)

    run.refresh_from_db()
    assert (run.state, run.failure_code) == ("failed", "run_refused")
    assert "LedgerPlanNotApproved" in run.failure_text
    assert platform.chain.run_on_chain(run.pk)["status"] == 0


def test_the_subject_of_a_plan_is_the_contracts(platform):
    terms = platform.document.terms

    on_chain = platform.chain.call(
        "TrainingLedger", "subjectOf", digest_to_bytes32(platform.plan.digest), terms.fields()
    )

    assert on_chain == platform.document.subject()
    assert plan_for_signature(platform.plan)["subject"] == "0x" + on_chain.hex()


@pytest.mark.parametrize("changes", [{"rounds": 1}])
def test_the_sweep_calls_a_coordinator_and_makes_the_candidate(platform, monkeypatch):
    from training import tasks

    called: list[str] = []
    monkeypatch.setattr(tasks.coordinate_run, "delay", called.append)
    run = platform.start()

    assert sweep_runs() == 1
    assert called == [str(run.pk)]
    assert sweep_runs() == 0
    platform.coordinate(run)
    sweep_runs()

    run.refresh_from_db()
    assert Model.objects.get(run=run).digest == run.weights
    assert WorkItem.objects.filter(kind="register").count() == 1
