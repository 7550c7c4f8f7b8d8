"""Other consortia's models as rows: what the inbox said, forward only, once, whatever another chain's numbers are."""

from collections.abc import Iterator
from importlib import import_module

import pytest
from django.db import connection

from audit.models import AuditRecord
from contracts.models import AppliedMark, ChainEventRecord
from contracts.reading.applying import apply_next
from contracts.reading.storing import store
from tests.factories.membership import World, make_world
from tests.integration.training.foreign_events import (
    CARD,
    RECALL,
    RELEASE,
    accepted,
    advanced,
    opened,
    recalled,
    registered,
    released,
    tell,
    tell_to,
)
from training.models import ForeignModel, ForeignStatement, Peer


@pytest.fixture(autouse=True)
def system(as_system) -> Iterator[None]:
    with as_system():
        yield


@pytest.fixture
def world(system) -> World:
    return make_world()


def the_model() -> ForeignModel:
    return ForeignModel.objects.select_related("peer").get()


def rows() -> list[str]:
    managers = (Peer.objects, ForeignModel.objects, ForeignStatement.objects)
    return [str(list(manager.order_by("pk").values())) for manager in managers]


def test_a_release_stands_with_its_peer_its_card_and_each_statement(world):
    tell(world, accepted(), opened(), advanced(), registered(), released())

    model = the_model()
    assert (model.state, model.counts, model.card_digest) == ("released", True, "sha256:" + CARD.hex())
    numbers = [model.peer.chain_id, model.peer.anchor_height, model.peer.proven_height]
    assert [int(number or 0) for number in numbers] == [2**64 - 1, 5, 9]
    said = {one.kind: (one.word, int(one.peer_block), one.block) for one in model.statements.all()}
    assert said == {"registered": ("sha256:" + CARD.hex(), 7, 4), "released": ("0x" + RELEASE.hex(), 8, 5)}


def test_a_recall_is_final_whatever_is_delivered_after_it(world):
    tell(world, accepted(), opened(), recalled(4), registered(5))

    model = the_model()
    assert (model.state, model.counts, model.card_digest) == ("recalled", False, "sha256:" + CARD.hex())
    assert model.statements.get(kind="recalled").word == "0x" + RECALL.hex()


def test_a_peer_that_the_members_ended_counts_for_nothing_and_stays_to_be_read(world):
    tell(world, accepted(), opened(), released(), accepted(6, accepted=False))

    model = the_model()
    assert (model.state, model.counts, model.peer.decided_block) == ("released", False, 6)


def test_events_that_are_read_again_change_nothing_and_are_recorded_once(world):
    history = [accepted(), opened(), advanced(), registered(), released(), recalled()]
    tell(world, *history)
    before, records = rows(), AuditRecord.objects.count()

    tell(world, *history)

    assert (rows(), AuditRecord.objects.count()) == (before, records)
    actions = AuditRecord.objects.order_by("recorded_at").values_list("action", flat=True)
    assert sorted(actions) == sorted(
        ["model.peer.decide", "model.peer.open", "model.peer.advance", *["model.foreign.prove"] * 3]
    )


def test_heights_that_no_integer_column_holds_stop_no_stream(world):
    most = 2**64 - 1
    tell(world, accepted(), opened(), advanced(number=most), released(height=most))

    assert int(the_model().peer.proven_height or 0) == int(the_model().statements.get().peer_block) == most
    body = AuditRecord.objects.get(action="model.foreign.prove").body
    assert "peer_block" not in body
    assert body["decision"] == "0x" + RELEASE.hex()


def test_two_consortia_here_that_accept_the_same_peer_have_rows_of_their_own(world):
    tell(world, accepted(), opened(), released())
    tell_to(world.other_consortium.pk, accepted(), opened(), recalled())

    states = {row.consortium_id: row.state for row in ForeignModel.objects.all()}
    assert states == {world.consortium.pk: "released", world.other_consortium.pk: "recalled"}
    assert Peer.objects.count() == 2


def test_what_was_said_before_there_were_rows_for_it_is_handed_over_once(world, become):
    """The migration lets the events wait that were applied when nobody heard them, and no others."""
    consortium = world.consortium.pk
    told = [accepted(), opened(), released()]
    store(consortium, told, applied=(-1, -1))
    AppliedMark.objects.create(consortium_id=consortium, block_number=told[-1].block_number, log_index=99)
    waiting = AppliedMark.objects.create(consortium_id=world.other_consortium.pk)

    with become("consilium_owner"), connection.cursor() as cursor:
        cursor.execute(import_module("training.migrations.0007_earlier_statements").HEAR)

    assert ChainEventRecord.objects.late(consortium).count() == 3
    assert apply_next(consortium).events == 3
    assert the_model().state == "released"
    assert not ChainEventRecord.objects.filter(is_late=True).exists()
    assert apply_next(waiting.pk).events == 0
