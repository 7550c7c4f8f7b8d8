"""The database's wall for auditors: an appointment opens reading, and no table of the consortium for writing."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Model as Row
from django.db.utils import ProgrammingError

from audit.acts import Actor, Subject
from audit.models import AuditLog, AuditRecord, Bundle, Checkpoint, Cosignature
from audit.recorder import record
from consent.models import ConsentEpoch, DataSet, RevocationEvent
from consortium.common.models import Blob
from consortium.common.tenancy import act_for
from consortium.governance.models import Ballot, Proposal, Veto
from consortium.membership.models import AuditorAppointment, Organization
from contracts.models import OutboxTransaction
from tests.factories.everything import Everything
from tests.factories.training import digest
from training.models import Plan, Run, RunOrder

Make = Callable[[Everything, dict[str, Any]], Row]


def own(organization: Organization, everything: Everything) -> dict[str, Any]:
    return {"organization_id": organization.pk, "consortium_id": everything.world.consortium.pk}


def copied(model: type[Row], **changes: Any) -> Make:
    """The hospital's row once more, in the organization's name and under another id."""

    def make(made: Everything, whose: dict[str, Any]) -> Row:
        row = made.get(model)
        kept = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
        kept |= {"id": uuid.uuid4()} if "id" in kept else {}
        return model(**(kept | whose | changes))

    return make


WRITTEN_BY_MEMBERS: dict[type[Row], Make] = {
    Plan: copied(Plan, digest=digest(901), state="draft", proposal_id=None, decided_block=None),
    Run: copied(Run, state="planned", fence=0, lease_until=None, lease_holder="", weights="", chain_state="recorded"),
    RunOrder: copied(RunOrder, obeyed_at=None),
    Proposal: copied(Proposal, chain_key="0x" + "ef" * 32),
    Ballot: lambda made, whose: Ballot(**whose, proposal=made.get(Proposal), choice="no"),
    Veto: copied(Veto, voter="0x" + "ee" * 20),
    OutboxTransaction: lambda made, whose: OutboxTransaction(
        **whose, contract="DecisionBoard", function="castBallot", idempotency_key="another", correlation_id="c"
    ),
    ConsentEpoch: copied(ConsentEpoch, epoch=2, seq=3),
    RevocationEvent: copied(RevocationEvent, epoch=2, seq=4),
    DataSet: copied(DataSet, name="others", digest=digest(902)),
    Bundle: copied(Bundle),
    Cosignature: lambda made, whose: Cosignature(
        checkpoint=made.get(Checkpoint),
        organization_id=whose["organization_id"],
        signer="0x" + "11" * 20,
        signature=bytes(65),
    ),
    Blob: lambda made, whose: Blob(consortium_id=whose["consortium_id"], digest=digest(903), data=b"x"),
}


@pytest.fixture
def identities(everything: Everything, become: Any) -> dict[str, dict[str, Any]]:
    """An auditor of no organization, and one who acts for an organization elsewhere."""
    person = everything.get(AuditorAppointment).user_id
    return {
        "of none": {"organization_id": None, "person_id": person},
        "of the outsider": {"organization_id": everything.world.outsider.pk, "person_id": person},
    }


@contextmanager
def taken_back() -> Iterator[None]:
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def refused_by_policy() -> Iterator[None]:
    with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        yield


@pytest.mark.parametrize("model", WRITTEN_BY_MEMBERS, ids=lambda model: model.__name__)
def test_a_member_writes_what_an_auditor_does_not(everything, identities, model):
    world, make = everything.world, WRITTEN_BY_MEMBERS[model]
    with act_for(organization_id=world.hospital.pk), taken_back():
        make(everything, own(world.hospital, everything)).save(force_insert=True)

    for organization in (world.outsider, world.hospital):
        for identity in identities.values():
            with refused_by_policy(), act_for(**identity):
                make(everything, own(organization, everything)).save(force_insert=True)


def test_these_are_all_tables_of_a_consortium_that_a_session_of_the_web_may_write(everything, become):
    models: list[type[Row]] = [*WRITTEN_BY_MEMBERS, AuditLog, AuditRecord]
    found = {model._meta.db_table for model in models}
    with become("NONE"), connection.cursor() as cursor:
        cursor.execute(
            "SELECT tablename, policyname, coalesce(with_check, '') FROM pg_policies "
            "WHERE cmd IN ('INSERT', 'UPDATE', 'ALL') AND 'consilium_app' = ANY(roles)"
        )
        rows = cursor.fetchall()
    by_appointment = {(table, name) for table, name, check in rows if "consilium_consortia" in check}
    by_membership = {table for table, _, check in rows if "consilium_member_of" in check}

    assert by_appointment == set(), "Let these policies ask for consilium_member_of(): an auditor writes nothing."
    assert by_membership == found, "Give these tables an example in WRITTEN_BY_MEMBERS."


def test_an_auditor_reads_what_members_share(everything, identities):
    for identity in identities.values():
        with act_for(**identity):
            for model in (Plan, Run, Proposal, ConsentEpoch, DataSet, AuditRecord, Checkpoint):
                assert model.objects.filter(pk=everything.get(model).pk).exists(), model._meta.label


def test_an_auditor_opens_no_log_and_records_nothing_but_exports(everything, identities):
    log = everything.get(AuditLog)
    auditor, person = identities["of none"], identities["of none"]["person_id"]
    before = AuditRecord.objects.count()
    with refused_by_policy(), act_for(**auditor):
        AuditLog.objects.create(kind="consortium", consortium_id=uuid.uuid4(), origin=f"x/logs/{uuid.uuid4()}")
    with refused_by_policy(), act_for(**auditor):
        record(
            action="governance.ballot.relay",
            organization_id=None,
            consortium_id=log.consortium_id,
            actor=Actor.person(person, None),
            subject=Subject("proposal", str(everything.get(Proposal).pk)),
            data={"organization": str(everything.world.hospital.pk), "choice": "yes"},
        )
    assert AuditRecord.objects.count() == before
    with act_for(**auditor), taken_back():
        record(
            action="audit.bundle.export",
            organization_id=None,
            consortium_id=log.consortium_id,
            actor=Actor.person(person, None),
            subject=Subject("bundle", str(uuid.uuid4())),
            data={"digest": digest(1), "size": 1, "report": "audit_controls"},
        )
        assert AuditRecord.objects.filter(action="audit.bundle.export").count() == 1
