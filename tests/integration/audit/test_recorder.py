"""Invariant 2: an act and its record stand or fall together."""

import json
import uuid
from typing import Any

import pytest
from django.db import transaction

from audit.actions import actions, declare
from audit.acts import Actor, Subject
from audit.commitments import commitment
from audit.errors import InvalidRecordError, UnknownActionError
from audit.models import AuditLog, AuditRecord, PendingRecord, PersonalField
from audit.models.records import Outcome
from audit.recorder import Act, record, record_each_once, record_once
from consortium.common.correlation import set_correlation_id
from consortium.common.gathering import gathering
from consortium.common.tenancy import NoTransactionError, act_for
from consortium.kernel.canonical import canonical_json
from consortium.kernel.digests import sha256_digest
from consortium.kernel.errors import NotFoundError
from consortium.membership.models import Organization, User

PERSON = uuid.UUID(int=3)
PROPOSAL = Subject("proposal", str(uuid.UUID(int=9)))


def relay_ballot(world, **changes):
    arguments = {
        "action": "governance.ballot.relay",
        "organization_id": None,
        "consortium_id": world.consortium.pk,
        "actor": Actor.person(PERSON, world.hospital.pk),
        "subject": PROPOSAL,
        "data": {"organization": str(world.hospital.pk), "choice": "yes"},
    }
    return record(**arguments | changes)


def test_a_record_holds_who_did_what_to_what(world):
    set_correlation_id("00000000-0000-0000-0000-000000000007")
    with act_for(organization_id=world.hospital.pk):
        row = relay_ballot(world)
        row = AuditRecord.objects.select_related("log").get(pk=row.pk)

    content = json.loads(bytes(row.canonical))
    assert content == {
        "format": "consilium/audit-record/v1",
        "id": str(row.pk),
        "log": row.log.origin,
        "action": "governance.ballot.relay",
        "outcome": "succeeded",
        "actor": {"kind": "person", "organization": str(world.hospital.pk), "commitment": row.actor},
        "subject": {"kind": "proposal", "id": PROPOSAL.id},
        "recorded_at": row.recorded_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "correlation_id": "00000000-0000-0000-0000-000000000007",
        "data": {"organization": str(world.hospital.pk), "choice": "yes"},
        "personal": {},
    }
    assert bytes(row.canonical) == canonical_json(content)
    assert row.digest == sha256_digest(bytes(row.canonical))
    assert row.log.consortium_id == world.consortium.pk
    assert row.log.origin == f"consilium.example/logs/{row.log.pk}"


def test_a_person_stands_in_the_record_as_a_commitment_that_the_side_table_opens(world):
    with act_for(organization_id=world.hospital.pk):
        row = relay_ballot(world, personal={"address": "192.0.2.7"})
        fields = {field.name: field for field in PersonalField.objects.filter(record=row)}

    assert str(PERSON).encode() not in bytes(row.canonical)
    assert b"192.0.2.7" not in bytes(row.canonical)
    content = json.loads(bytes(row.canonical))
    opened = {name: commitment(salt=bytes(field.salt), name=name, value=field.value) for name, field in fields.items()}
    assert opened == {"actor": content["actor"]["commitment"], "address": content["personal"]["address"]}
    assert {field.value for field in fields.values()} == {str(PERSON), "192.0.2.7"}


def test_a_data_subject_stands_in_the_record_as_a_commitment(world):
    with act_for(organization_id=world.hospital.pk):
        row = record(
            action="consent.withdrawal.record",
            organization_id=world.hospital.pk,
            consortium_id=None,
            actor=Actor.agent("0x" + "11" * 20, world.hospital.pk),
            subject=Subject("data_subject", "pseudonym-17"),
            data={"withdrawal": str(uuid.UUID(int=1))},
        )
        assert PersonalField.objects.get(record=row).value == "pseudonym-17"
    assert b"pseudonym-17" not in bytes(row.canonical)
    assert row.subject_id.startswith("sha256:")
    assert row.log.organization_id == world.hospital.pk


def test_the_same_person_is_not_linkable_between_two_records(world):
    with act_for(organization_id=world.hospital.pk):
        assert relay_ballot(world).actor != relay_ballot(world).actor


def test_all_acts_of_one_owner_lie_in_one_log(world):
    with act_for(organization_id=world.hospital.pk):
        first, second = relay_ballot(world), relay_ballot(world)
    with act_for(organization_id=world.bank.pk):
        third = relay_ballot(
            world,
            actor=Actor.person(PERSON, world.bank.pk),
            data={"organization": str(world.bank.pk), "choice": "no"},
        )
    assert first.log_id == second.log_id == third.log_id


def test_every_record_waits_for_its_leaf(world, as_system):
    with act_for(organization_id=world.hospital.pk):
        row = relay_ballot(world)
    with as_system():
        assert [pending.record_id for pending in PendingRecord.objects.all()] == [row.pk]


def test_a_refused_attempt_is_recorded_with_its_code_and_may_lack_data(world):
    with act_for(organization_id=world.hospital.pk):
        row = relay_ballot(world, data={}, outcome=Outcome.REFUSED, error_code="ballot_closed")
    assert (row.outcome, row.error_code) == ("refused", "ballot_closed")
    assert json.loads(bytes(row.canonical))["error"] == "ballot_closed"


REFUSALS = [
    ({"action": "governance.ballot.invent"}, UnknownActionError, "no action"),
    ({"data": {"organization": "x", "choice": "yes"}}, InvalidRecordError, "must be a UUID"),
    ({"data": {"choice": "yes"}}, InvalidRecordError, "needs the field organization"),
    (
        {"data": {"organization": str(uuid.UUID(int=1)), "choice": "yes", "name": "Maria"}},
        InvalidRecordError,
        "no field name",
    ),
    ({"subject": Subject("plan", "1")}, InvalidRecordError, "about a proposal"),
    ({"outcome": Outcome.REFUSED}, InvalidRecordError, "names its error"),
    ({"error_code": "ballot_closed"}, InvalidRecordError, "names its error"),
    ({"consortium_id": None}, InvalidRecordError, "exactly one log"),
    ({"personal": {"actor": "x"}}, InvalidRecordError, "recorder's own"),
    ({"personal": {"Full name": "x"}}, InvalidRecordError, "personal field"),
    ({"personal": {"note": "x" * 4097}}, InvalidRecordError, "at most 4096"),
]


@pytest.mark.parametrize(("changes", "error", "text"), REFUSALS, ids=lambda value: str(value)[:40])
def test_an_act_that_does_not_fit_is_refused_and_nothing_is_written(world, changes, error, text):
    with act_for(organization_id=world.hospital.pk):
        with pytest.raises(error, match=text):
            relay_ballot(world, **changes)
        assert AuditRecord.objects.count() == 0
        assert AuditLog.objects.count() == 0


def test_an_act_in_two_logs_is_refused(world):
    with (
        act_for(organization_id=world.hospital.pk),
        pytest.raises(InvalidRecordError, match="exactly one log"),
    ):
        relay_ballot(world, organization_id=world.hospital.pk)


def test_an_act_lies_in_the_kind_of_log_that_its_action_names(world):
    with (
        act_for(organization_id=world.hospital.pk),
        pytest.raises(InvalidRecordError, match="log of the consortium"),
    ):
        relay_ballot(world, organization_id=world.hospital.pk, consortium_id=None)


def test_a_foreign_log_is_not_found_and_nothing_is_written(world, as_system):
    with act_for(organization_id=world.outsider.pk), pytest.raises(NotFoundError):
        relay_ballot(world)
    with as_system():
        assert AuditRecord.objects.count() == 0
        assert AuditLog.objects.count() == 0


@pytest.mark.parametrize("identifier", ["", "two words", "tab\t", "ü", "x" * 81])
def test_an_identifier_that_could_be_a_name_or_break_a_line_is_refused(identifier):
    with pytest.raises(InvalidRecordError):
        Subject("plan", identifier)
    with pytest.raises(InvalidRecordError):
        Actor.system(identifier)


@pytest.mark.django_db(transaction=True)
def test_a_record_outside_a_transaction_is_refused():
    with pytest.raises(NoTransactionError):
        record(
            action="identity.logout",
            organization_id=uuid.uuid4(),
            consortium_id=None,
            actor=Actor.system("web"),
            subject=Subject("person", "1"),
        )


@transaction.atomic
def act_and_fail(world):
    Organization.objects.filter(pk=world.hospital.pk).update(country="DE")
    relay_ballot(world)
    raise RuntimeError("the act fails after its record")


def test_an_act_that_rolls_back_leaves_no_record(world, as_system):
    with act_for(organization_id=world.hospital.pk):
        with pytest.raises(RuntimeError):
            act_and_fail(world)
        assert Organization.objects.get(pk=world.hospital.pk).country == ""
    with as_system():
        assert AuditRecord.objects.count() == 0
        assert PendingRecord.objects.count() == 0
        assert PersonalField.objects.count() == 0
        assert User.objects.count() == 3


def test_an_action_is_declared_once():
    with pytest.raises(ValueError, match="twice"):
        declare("identity.logout", None, "person")


def test_action_names_are_dotted_words():
    assert all(name.replace(".", "").replace("_", "").isalpha() and name.count(".") >= 1 for name in actions())


def close_once(world, key: str, **changes):
    arguments = {
        "action": "governance.proposal.close",
        "consortium_id": world.consortium.pk,
        "actor": Actor.system("projector"),
        "subject": PROPOSAL,
        "data": {"outcome": "approved", "yes": 3, "no": 1},
    }
    return record_once(key, **arguments | changes)


def test_what_is_told_again_under_its_key_is_recorded_once(world, as_system):
    with as_system():
        first = close_once(world, "0xab:3")
        again = close_once(world, "0xab:3", data={"outcome": "approved", "yes": 4, "no": 0})
        other_event = close_once(world, "0xab:4")
        other_action = close_once(world, "0xab:3", action="governance.proposal.cancel", data={})
        other_log = close_once(world, "0xab:3", consortium_id=world.other_consortium.pk)

        assert again is None
        kept = set(AuditRecord.objects.values_list("pk", flat=True))
        assert kept == {row.pk for row in (first, other_event, other_action, other_log)}


def test_a_key_of_an_act_that_was_not_recorded_is_free(world, as_system):
    with as_system():
        with pytest.raises(InvalidRecordError):
            close_once(world, "0xab:3", data={"outcome": "approved"})
        assert close_once(world, "0xab:3") is not None


def act(world, key: str, number: int, **changes) -> Act:
    data = {"outcome": "approved", "yes": number, "no": 0, "base": 3, "block": number}
    fields: dict[str, Any] = {"key": key, "action": "governance.proposal.close", "subject": PROPOSAL, "data": data}
    return Act(**fields | changes)


def test_acts_that_come_together_are_recorded_in_their_order_each_once_and_under_its_own_id(world, as_system):
    system, consortium = Actor.system("projector"), world.consortium.pk
    ids = [f"00000000-0000-0000-0000-{number:012}" for number in range(5)]
    with as_system():
        record_each_once([act(world, "known", 0, correlation_id=ids[0])], consortium_id=consortium, actor=system)
        told = [
            act(world, key, number, correlation_id=ids[number])
            for number, key in ((1, "b"), (2, "known"), (3, "a"), (4, "b"))
        ]
        rows = record_each_once(told, consortium_id=consortium, actor=system)

        assert [(row.body["yes"], row.correlation_id) for row in rows] == [(1, ids[1]), (3, ids[3])]
        kept = AuditRecord.objects.order_by("recorded_at").values_list("pk", flat=True)
        assert list(kept)[1:] == [row.pk for row in rows]
        assert PendingRecord.objects.count() == 3
        row = AuditRecord.objects.get(pk=rows[0].pk)
        assert row.digest == sha256_digest(bytes(row.canonical))


def test_of_acts_that_come_together_none_is_recorded_where_one_does_not_fit(world, as_system):
    system, consortium = Actor.system("projector"), world.consortium.pk
    person = Subject("data_subject", "p" * 64)
    bad = [
        act(world, "b", 1, correlation_id=None, data={"outcome": "approved"}),
        act(world, "b", 1, correlation_id=None, action="consent.withdrawal.confirm", subject=person, data={}),
    ]
    with as_system():
        for one in bad:
            with pytest.raises(InvalidRecordError):
                record_each_once([act(world, "a", 1, correlation_id=None), one], consortium_id=consortium, actor=system)
        assert not AuditRecord.objects.exists()


def test_acts_that_are_gathered_are_written_together_and_before_what_is_recorded_by_itself(world, as_system):
    with as_system():
        with gathering():
            assert close_once(world, "0xab:3") is None
            assert close_once(world, "0xab:3") is None
            assert close_once(world, "0xab:4") is None
            assert not AuditRecord.objects.exists()
            record(
                action="governance.proposal.cancel",
                organization_id=None,
                consortium_id=world.consortium.pk,
                actor=Actor.system("projector"),
                subject=PROPOSAL,
            )
            assert AuditRecord.objects.count() == 3
            close_once(world, "0xab:5")
        kept = AuditRecord.objects.order_by("recorded_at").values_list("action", flat=True)
        closed = "governance.proposal.close"
        assert list(kept) == [closed, closed, "governance.proposal.cancel", closed]


def gather(world, *acts: dict[str, Any], fault: Exception | None = None) -> None:
    with transaction.atomic(), gathering():
        for number, changes in enumerate(acts):
            close_once(world, f"0xab:{number}", **changes)
        if fault is not None:
            raise fault


def test_where_what_is_gathered_fails_nothing_of_it_is_recorded(world, as_system):
    with as_system():
        with pytest.raises(LookupError):
            gather(world, {}, fault=LookupError())
        with pytest.raises(InvalidRecordError):
            gather(world, {}, {"data": {"outcome": "approved"}})
        assert not AuditRecord.objects.exists()
