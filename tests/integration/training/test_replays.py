"""A development chain whose blocks are read a second time tells the consortium's log nothing a second time."""

from collections import Counter
from collections.abc import Iterator

import pytest
from django.db import transaction

from audit.models import AuditRecord
from consortium.kernel.digests import digest_to_bytes32
from contracts.models import ChainCursor, ChainEventRecord
from tests.chain.anvil import Anvil
from tests.factories.streams import all_applied, applied_events, forget_applied
from tests.integration.training.consortium_chain import ConsortiumChain
from tests.integration.training.test_life_of_a_model import in_state, until
from training.models import Model, Run
from training.registry.candidates import make_candidates, register_signed

pytestmark = [pytest.mark.services, pytest.mark.parametrize("changes", [{"rounds": 1}])]
RECORDED = {
    "governance.ballot.confirm",
    "governance.proposal.close",
    "membership.organization.admit",
    "membership.policy.change",
    "model.candidate.register",
    "model.release.decide",
    "model.release.propose",
    "training.plan.decide",
    "training.plan.propose",
    "training.round.close",
    "training.round.open",
    "training.run.change",
}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsortiumChain]:
    """A chain of its own: the others' would be read from its beginning with all that their tests did on it."""
    node = Anvil(tmp_path_factory.mktemp("replays-anvil")).start()
    try:
        yield ConsortiumChain(node)
    finally:
        node.stop()


def test_events_that_are_read_again_are_recorded_once(platform):
    read_again(platform, from_block=0)
    run = platform.start()
    platform.coordinate(run)
    model = released_model(platform, run)
    before, states = recorded(), (run.state, model.state)
    assert before.keys() >= RECORDED

    read_again(platform)
    read_again(platform)

    assert recorded() == before
    run.refresh_from_db()
    model.refresh_from_db()
    assert (run.state, model.state) == states


def released_model(platform, run: Run) -> Model:
    make_candidates()
    model = Model.objects.get(run=run)
    until(platform, lambda: register_signed() or platform.chain.model_state(model.digest) == 1)
    until(platform, lambda: Model.objects.filter(pk=model.pk, chain_state="confirmed").exists())
    platform.chain.decide(2, digest_to_bytes32(model.digest))
    until(platform, lambda: in_state(model, "released"))
    run.refresh_from_db()
    return model


def recorded() -> Counter[str]:
    return Counter(AuditRecord.objects.values_list("action", flat=True))


def read_again(platform, from_block: int | None = None) -> None:
    """Forget the events as after a lost chain, and wait until all are read and applied again."""
    with transaction.atomic():
        cursor = ChainCursor.objects.select_for_update().get()
        known = ChainEventRecord.objects.count()
        ChainEventRecord.objects.all().delete()
        cursor.first_block = cursor.first_block if from_block is None else from_block
        cursor.position, cursor.block_hash = cursor.first_block - 1, b""
        cursor.save()
        forget_applied()
    until(platform, lambda: applied_events() >= max(known, 1))
    until(platform, all_applied)
