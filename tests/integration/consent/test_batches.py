"""Batches at the platform: signed, in order, without personal data; whole or not at all."""

import copy
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from audit.models import AuditRecord
from consent import selectors
from consent.domain.conflicts import effective_provisions
from consent.domain.documents import document_message
from consent.domain.evaluation import Question, is_permitted
from consent.domain.provisions import category
from consent.models import ConsentBatch, EffectiveRule, Grant, Purpose
from consent.services.purposes import fill_purposes
from consortium.common.tenancy import act_for
from consortium.kernel.eip712 import AGENT_DOMAIN, Domain, typed_hash
from consortium.kernel.identifiers import to_hex
from consortium.kernel.secp256k1 import sign_digest
from tests.integration.channel.agents import FakeSite
from tests.integration.consent.sites import MADE_FOR, carry, import_consents, post, signed_again
from tests.unit.consent.sql_cases import compare_with_postgres


@pytest.fixture
def batch(office, world):
    import_consents(office, world.consortium, 12)
    (message,) = office.mail.waiting()
    return message


def kept(world) -> tuple[int, int, int]:
    with act_for(organization_id=world.hospital.pk):
        accepted = ConsentBatch.objects.filter(state="accepted").count()
        return accepted, Grant.objects.count(), EffectiveRule.objects.count()


def planted(message, **changes):
    entries = copy.deepcopy(message.body["entries"])
    entries[3]["resource"].update(changes)
    return entries


def test_a_signed_batch_is_taken_whole_and_recorded(batch, site, world, steward):
    answer = post(site, batch)

    assert answer.status_code == 201
    assert answer.json()["accepted"] == 12
    with act_for(organization_id=world.hospital.pk):
        assert Grant.objects.count() == 12
        (record,) = AuditRecord.objects.filter(action="consent.batch.import")
        assert record.body == {"digest": batch.digest, "accepted": 12, "refused": 0}
    (shown,) = steward.get("/api/v1/consents/imports").json()["results"]
    assert (shown["state"], shown["accepted"], shown["sequence"]) == ("accepted", 12, 1)


def test_the_same_batch_again_changes_nothing_whatever_its_key(batch, site, world):
    first = post(site, batch).json()
    before = kept(world)

    assert post(site, batch).json() == first
    again = site.post("consents/batches", dict(batch.body), **{"Idempotency-Key": "another"})

    assert (again.status_code, again.json()) == (201, first)
    assert kept(world) == before


@pytest.mark.parametrize("signature", ["", "0x", "0x" + "00" * 65, "0x" + "11" * 64 + "1b"])
def test_an_unsigned_batch_is_refused_and_nothing_is_kept(batch, site, world, signature):
    answer = post(site, batch, signature=signature)

    assert answer.status_code == 400
    assert kept(world) == (0, 0, 0)


def test_a_batch_that_another_key_signed_is_refused(batch, site, bank_site, world):
    other = FakeSite(world.hospital)
    document = {name: value for name, value in batch.body.items() if name not in ("digest", "signature")}
    digest = typed_hash(Domain(AGENT_DOMAIN, settings.CHAIN_ID), "AgentRequest", document_message(document))
    for key in (other.key, bank_site.key):
        answer = post(site, batch, signature=to_hex(sign_digest(digest, key)))
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_signature")
    assert post(bank_site, batch).status_code == 400

    assert kept(world) == (0, 0, 0)
    assert post(site, batch).status_code == 201


@pytest.mark.parametrize(
    ("element", "changes"),
    [
        ("Consent.patient.display", {"patient": {"reference": "Patient/" + "ab" * 32, "display": "Maria Muster"}}),
        ("Consent.identifier", {"identifier": [{"system": "urn:mrn", "value": "12345"}]}),
        ("Consent.text", {"text": {"status": "generated", "div": "<div>Maria</div>"}}),
        ("Consent.patient.reference", {"patient": {"reference": "Patient/maria"}}),
    ],
)
def test_a_planted_name_or_identifier_refuses_the_batch_naming_line_and_element(
    batch, site, office, world, steward, element, changes
):
    message = signed_again(office, batch, entries=planted(batch, **changes))

    answer = post(site, message)

    assert (answer.status_code, answer.json()["code"]) == (400, "batch_refused")
    (error,) = [error for error in answer.json()["errors"] if error["element"] == element]
    assert error["line"] == 4
    assert kept(world) == (0, 0, 0)
    assert "Maria" not in answer.content.decode()
    assert "12345" not in answer.content.decode()
    (shown,) = steward.get("/api/v1/consents/imports").json()["results"]
    assert (shown["state"], shown["accepted"], shown["errors"]) == ("refused", 0, answer.json()["errors"])
    with act_for(organization_id=world.hospital.pk):
        (record,) = AuditRecord.objects.filter(action="consent.batch.import")
        assert (record.outcome, record.error_code) == ("refused", "batch_refused")


def test_a_consent_that_was_recorded_or_comes_twice_refuses_the_batch(batch, site, office, world):
    post(site, batch)
    before = kept(world)
    first = batch.body["entries"][0]

    for sequence, entries in ((2, [first]), (3, [first, first])):
        message = signed_again(office, batch, sequence=sequence, entries=entries)
        assert post(site, message).json()["code"] == "batch_refused"

    assert kept(world) == before


def test_batches_come_in_order_and_a_refused_content_uses_its_number_up(batch, site, office, world):
    late = post(site, signed_again(office, batch, sequence=2))
    assert (late.status_code, late.json()["code"]) == (409, "batch_out_of_order")
    assert kept(world) == (0, 0, 0)

    bad = signed_again(office, batch, entries=planted(batch, identifier=[{"value": "1"}]))
    assert post(site, bad).json()["code"] == "batch_refused"

    assert post(site, batch).json()["code"] == "batch_out_of_order"
    assert post(site, signed_again(office, batch, sequence=2)).status_code == 201


def test_a_batch_of_another_organization_or_consortium_is_refused(batch, site, office, world):
    cases: list[dict[str, Any]] = [
        {"organization": str(world.bank.pk)},
        {"consortium": str(world.other_consortium.pk)},
        {"extra": 1},
        {"entries": []},
    ]
    for changes in cases:
        message = batch if "organization" in changes else signed_again(office, batch, **changes)
        assert post(site, message, **changes).status_code in (400, 404)

    assert kept(world) == (0, 0, 0)


def test_the_three_evaluations_agree_on_random_sites(become):
    # Only a superuser may make a temporary table here.
    with become("NONE"):
        assert compare_with_postgres(connection, sites=10, questions=10) > 10


def test_platform_agent_and_definition_agree_on_who_permits(batch, site, office, world):
    carry(office, site)
    for purpose in ("DUO:0000006", "DUO:0000042", "HL7:CLINTRCH", "HL7:HMARKT"):
        for days in (10, 400, 4000):
            question = Question(
                purpose=purpose,
                categories=frozenset({category("Procedure")}),
                recipients=frozenset({str(world.bank.pk)}),
                at=MADE_FOR,
                until=MADE_FOR + timedelta(days=days),
            )
            by_definition = sum(
                is_permitted(effective_provisions(grants, MADE_FOR), question).permitted
                for _name, grants in office.store.grants_by_subject(world.consortium.pk)
            )
            with act_for(organization_id=world.hospital.pk):
                owner = {"consortium_id": world.consortium.pk, "organization_id": world.hospital.pk}
                assert selectors.permitted_count(**owner, question=question) == by_definition
            with act_for(organization_id=world.bank.pk):
                assert selectors.permitted_count(**owner, question=question) == 0


def test_the_reference_table_holds_every_term_for_everybody(world, become, banker):
    with become("consilium_owner"):
        fill_purposes(Purpose.objects)

    shown = {term["code"]: term for term in banker.get("/api/v1/consents/purposes").json()}

    assert len(shown) == 25
    assert shown["DUO:0000006"]["label"] == "health or medical or biomedical research"
    assert shown["DUO:0000046"]["is_condition"] is True
