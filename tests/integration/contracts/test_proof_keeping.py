"""Proofs of blocks beside the projector: on the development chain none are kept, and what is cut is forgotten."""

from uuid import UUID

import pytest
from django.db import ProgrammingError, connection, transaction
from django.test.utils import CaptureQueriesContext

from consortium.common.tenancy import act_for
from contracts.dispatcher import Dispatcher
from contracts.models import BlockProof
from contracts.projector import project_once, start_projection
from contracts.reading.proof_keeping import gives_proofs, sweep_proofs
from contracts.reading.streams import read_window
from tests.integration.contracts.conftest import add, deploy

pytestmark = pytest.mark.usefixtures("system", "handlers")


@pytest.fixture
def consortium(world) -> UUID:
    return world.consortium.pk


@pytest.fixture
def dispatcher(chain, relay, consortium) -> Dispatcher:
    made = Dispatcher(chain, relay)
    deploy(made, consortium)
    start_projection(consortium)
    return made


def test_the_development_chain_is_not_captured_and_a_sweep_asks_nothing(dispatcher, consortium):
    project_once(dispatcher.chain)
    add(consortium, "test:1")
    dispatcher.dispatch_once()

    assert not gives_proofs(dispatcher.chain)
    with CaptureQueriesContext(connection) as asked:
        read_window(dispatcher.chain, consortium)
        sweep_proofs(dispatcher.chain, with_history=True)
    assert not [query for query in asked.captured_queries if "blockproof" in query["sql"]]
    assert not BlockProof.objects.exists()


def test_what_was_captured_above_the_common_block_goes_with_the_blocks(dispatcher, consortium, world):
    add(consortium, "test:1")
    dispatcher.dispatch_once()
    project_once(dispatcher.chain)
    common = dispatcher.chain.head().number - 1
    for home in (consortium, world.other_consortium.pk):
        for number in (common, common + 1):
            BlockProof.objects.create(consortium_id=home, block_number=number)

    dispatcher.chain.lose_blocks_after(common)
    project_once(dispatcher.chain)

    kept = BlockProof.objects.order_by("consortium_id", "block_number").values_list("consortium_id", "block_number")
    assert (consortium, common) in kept
    assert (consortium, common + 1) not in kept
    assert (world.other_consortium.pk, common + 1) in kept


def test_members_read_their_consortiums_proofs_and_write_none(dispatcher, consortium, world, become):
    for home in (consortium, world.other_consortium.pk):
        BlockProof.objects.create(consortium_id=home, block_number=1)
    with become("consilium_app"):
        for organization, is_member in ((world.hospital, True), (world.outsider, False)):
            with act_for(organization_id=organization.pk):
                assert BlockProof.objects.filter(consortium_id=consortium).exists() == is_member
                with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
                    BlockProof.objects.update(missing_text="")
