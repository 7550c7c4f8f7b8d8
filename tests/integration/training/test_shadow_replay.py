"""`chain replay` after a real run on a real node: its events, handled again in a shadow, give the rows that stand."""

from collections.abc import Iterator

import pytest

from contracts.reading.replay import replay
from tests.chain.anvil import Anvil
from tests.factories.streams import applied_events
from tests.integration.training.consortium_chain import ConsortiumChain
from tests.integration.training.test_replays import read_again, released_model
from training.models import Model, Round

pytestmark = [pytest.mark.services, pytest.mark.parametrize("changes", [{"rounds": 2}])]


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsortiumChain]:
    """A chain of its own, whose whole history is one consortium's."""
    node = Anvil(tmp_path_factory.mktemp("shadow-anvil")).start()
    try:
        yield ConsortiumChain(node)
    finally:
        node.stop()


def test_a_run_from_its_vote_to_its_released_model_is_what_the_chain_says(platform):
    read_again(platform, from_block=0)
    run = platform.start()
    platform.coordinate(run)
    model = released_model(platform, run)
    for thread in platform.threads:
        thread.stop()

    report = replay(platform.chain.gateway)
    assert report.equal, report.in_words()
    assert report.events == applied_events() > 30
    assert replay().equal

    Model.objects.filter(pk=model.pk).update(state="recalled")
    Round.objects.filter(run=run, number=1).update(next_weights=run.weights)
    assert {one.table for one in replay().differences} == {"training_model", "training_round"}
