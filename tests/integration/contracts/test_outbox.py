"""Asking for a call: in the caller's transaction, once a key, by its author."""

from uuid import UUID

import psycopg
import pytest
from django.db import ProgrammingError, connection, transaction

from consortium.common.correlation import set_correlation_id
from consortium.common.tenancy import act_for
from contracts.errors import ContractArgumentsError
from contracts.models import OutboxTransaction
from contracts.outbox import CHANNEL, IdempotencyKeyReusedError, enqueue

KEY = "revocation:1"


def ask(world, **changes):
    call = {
        "consortium_id": world.consortium.pk,
        "contract": "Counter",
        "function": "add",
        "arguments": [2**200, b"\x01" * 32, "note", [True, {"by": 3}]],
        "idempotency_key": KEY,
        "organization_id": world.hospital.pk,
    }
    return enqueue(**(call | changes))


@pytest.fixture
def as_hospital(world):
    with act_for(organization_id=world.hospital.pk):
        yield


def test_a_call_is_kept_with_its_types_and_the_correlation_id(world, as_hospital):
    set_correlation_id("01234567-89ab-cdef-0123-456789abcdef")

    row = ask(world)

    assert row.state == "recorded"
    assert row.values == [2**200, b"\x01" * 32, "note", [True, {"by": 3}]]
    assert row.correlation_id == "01234567-89ab-cdef-0123-456789abcdef"


def test_the_same_key_and_call_give_the_row_that_is_there(world, as_hospital):
    first = ask(world)
    assert ask(world).pk == first.pk
    assert OutboxTransaction.objects.count() == 1


@pytest.mark.parametrize(
    "changes",
    [{"arguments": [1]}, {"function": "walk"}, {"contract": "Other"}],
)
def test_the_same_key_for_another_call_is_refused(world, as_hospital, changes):
    ask(world)

    with pytest.raises(IdempotencyKeyReusedError):
        ask(world, **changes)
    assert [row.function for row in OutboxTransaction.objects.all()] == ["add"]


def test_keys_of_two_consortia_do_not_meet(world, as_system):
    with as_system():
        rows = {
            ask(world, consortium_id=consortium.pk, organization_id=None).pk
            for consortium in (world.consortium, world.other_consortium)
        }
    assert len(rows) == 2


def test_a_value_that_no_contract_knows_is_refused_and_nothing_kept(world, as_hospital):
    with pytest.raises(ContractArgumentsError):
        ask(world, arguments=[0.5])
    assert not OutboxTransaction.objects.exists()


def test_calls_keep_the_order_of_asking(world, as_hospital):
    for number in range(5):
        ask(world, idempotency_key=f"call:{number}")
    assert [row.idempotency_key for row in OutboxTransaction.objects.all()] == [f"call:{n}" for n in range(5)]


def test_a_member_asks_in_its_own_name_only(world, as_hospital, as_system):
    for foreign in ({"organization_id": world.bank.pk}, {"organization_id": None}):
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            ask(world, **foreign)
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        ask(world, consortium_id=world.other_consortium.pk)

    with as_system():
        assert not OutboxTransaction.objects.exists()


def test_a_member_cannot_deploy_through_the_outbox(world, as_hospital):
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        ask(world, function="constructor")


def test_a_member_names_no_account_that_is_to_send(world, as_hospital):
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        ask(world, only_sender="0x" + "11" * 20)


def test_a_member_can_neither_change_nor_sign_a_row(world, as_hospital):
    row = ask(world)

    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        OutboxTransaction.objects.filter(pk=row.pk).update(state="confirmed")
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        row.delete()
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        OutboxTransaction.objects.create(
            consortium_id=world.consortium.pk,
            organization_id=world.hospital.pk,
            contract="Counter",
            function="add",
            idempotency_key="forged:1",
            correlation_id="",
            state="failed",
        )


def test_members_read_what_their_consortium_sends_and_outsiders_do_not(world, as_system):
    with as_system():
        ask(world, organization_id=None)

    for organization, seen in ((world.hospital, 1), (world.bank, 1), (world.outsider, 0)):
        with act_for(organization_id=organization.pk):
            assert OutboxTransaction.objects.count() == seen


@pytest.mark.django_db(transaction=True)
def test_a_call_outside_a_transaction_is_refused():
    with pytest.raises(RuntimeError, match="transaction"):
        enqueue(
            consortium_id=UUID(int=1),
            contract="Counter",
            function="add",
            arguments=[],
            idempotency_key=KEY,
        )


@pytest.mark.django_db(transaction=True)
def test_the_dispatcher_hears_of_a_call_when_it_is_committed_and_not_before(as_system):
    with as_system(), transaction.atomic():
        from tests.factories.membership import make_world

        world = make_world()
    settings = connection.get_connection_params()
    listening = {name: settings[name] for name in ("dbname", "user", "password", "host", "port") if settings.get(name)}
    with psycopg.connect(**listening, autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")

        with as_system(), transaction.atomic():
            ask(world, organization_id=None)
            assert list(listener.notifies(timeout=0.1)) == []

        assert [notice.channel for notice in listener.notifies(timeout=5, stop_after=1)] == [CHANNEL]


def test_a_withdrawn_transaction_leaves_no_call(world, as_hospital):
    def ask_and_fail() -> None:
        with transaction.atomic():
            ask(world)
            raise LookupError

    with pytest.raises(LookupError):
        ask_and_fail()
    assert not OutboxTransaction.objects.exists()
