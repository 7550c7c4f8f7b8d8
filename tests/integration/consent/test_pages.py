"""Pages of consents and data sets: one's own exactly for who may read them, the others' as bands, withdrawing."""

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from consent.models import ConsentBatch, ConsentEpoch, DataSet, EffectiveRule, Grant, Withdrawal
from tests.factories.everything import PSEUDONYM, _resource
from tests.factories.membership import World

MOMENT = timezone.now()
ERRORS = [{"line": 12, "element": "Consent.patient.display", "reason": "carries a name"}]


def logged_in(email: str) -> Client:
    client = Client()
    assert client.login(email=email, password="a long pass phrase")
    return client


def words(client: Client, path: str) -> str:
    answer = client.get(path)
    assert answer.status_code == 200
    main = answer.text[answer.text.index("<main") :]
    return unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)))


@pytest.fixture
def names(world: World) -> dict[str, Any]:
    return {"consortium": world.consortium, "organization": world.hospital}


@pytest.fixture
def consents(names, become) -> ConsentBatch:
    """The hospital has one consent, an import that was refused, and an epoch."""
    with become("NONE"):
        batch = ConsentBatch._base_manager.create(**names, sequence=1, digest="sha256:1", state="accepted", accepted=1)
        Grant._base_manager.create(
            **names,
            batch=batch,
            consent_id="ef" * 32,
            pseudonym=PSEUDONYM,
            state="active",
            recorded_at=MOMENT,
            resource=_resource(),
        )
        EffectiveRule._base_manager.create(
            **names,
            subject=PSEUDONYM,
            rule_group=1,
            rule_rank=1,
            effect="permit",
            purpose="DUO:0000006",
            purpose_path="DUO:0000006",
            conditions=[],
            valid_from=MOMENT,
        )
        ConsentEpoch._base_manager.create(
            **names,
            epoch=3,
            seq=5,
            root="0x" + "11" * 32,
            band=10,
            as_of=MOMENT,
            chain_state="confirmed",
            confirmed_block=91,
        )
        refused = {"state": "refused", "refused": 1, "error_code": "batch_refused", "errors": ERRORS}
        return ConsentBatch._base_manager.create(**names, sequence=2, digest="sha256:2", **refused)


def test_a_steward_reads_exact_numbers_and_everybody_the_band(consents):
    shown = words(logged_in("steward@hospital.example"), "/consents/")

    assert "1 of 1 people permit something" in shown
    assert "Health or medical or biomedical research HMB DUO:0000006 1 0" in shown
    assert "Hospital you 3 10 to 24" in shown
    assert "Block 91" in shown


@pytest.mark.parametrize("email", ["scientist@hospital.example", "admin@bank.example"])
def test_who_may_not_read_exact_numbers_sees_bands_alone(consents, email):
    client = logged_in(email)
    shown = words(client, "/consents/")

    assert "10 to 24" in shown
    assert "permit something" not in shown or email.startswith("admin@bank")
    assert "1 of 1 people" not in shown
    assert str(consents.pk) not in client.get("/consents/").text


def test_a_refused_import_names_line_element_reason_and_what_to_do(consents):
    shown = words(logged_in("steward@hospital.example"), reverse("import", args=[consents.pk]))

    assert "12 Consent.patient.display carries a name" in shown
    assert "Nothing of this batch was kept" in shown
    assert "Mend these lines at the source" in shown


def test_lines_that_the_agent_refused_are_said_to_lie_there(names, become):
    with become("NONE"):
        batch = ConsentBatch._base_manager.create(
            **names, sequence=1, digest="sha256:1", state="accepted", accepted=5, refused=2
        )

    shown = words(logged_in("steward@hospital.example"), reverse("import", args=[batch.pk]))

    assert "The refused lines lie at your agent alone" in shown


def test_another_organizations_import_is_not_found_and_ones_own_is_for_readers(consents):
    path = reverse("import", args=[consents.pk])

    assert logged_in("admin@bank.example").get(path).status_code == 404
    assert logged_in("scientist@hospital.example").get(path).status_code == 403


def test_a_steward_withdraws_in_two_steps(consents, become):
    client = logged_in("steward@hospital.example")
    form = {"pseudonym": PSEUDONYM, "reason": "subject_request"}

    first = client.post(reverse("withdraw_consent"), form)

    assert "It cannot be undone" in first.text
    with become("NONE"):
        assert not Withdrawal._base_manager.exists()

    done = client.post(reverse("withdraw_consent"), form | {"confirmed": "yes"}, follow=True)

    assert "The withdrawal is recorded" in done.text
    assert "Your agent takes it in and signs a receipt" in done.text
    with become("NONE"):
        assert Grant._base_manager.get().state == "withdrawn"


@pytest.mark.parametrize(
    ("pseudonym", "says"), [("Mrs Miller", "64 digits and letters"), ("ab" * 32, "There is no such subject")]
)
def test_a_withdrawal_of_nobody_is_refused_with_its_reason(consents, become, pseudonym, says):
    client = logged_in("steward@hospital.example")
    form = {"pseudonym": pseudonym, "reason": "other", "confirmed": "yes"}

    answer = client.post(reverse("withdraw_consent"), form)

    assert says in answer.text
    with become("NONE"):
        assert not Withdrawal._base_manager.exists()


def test_who_is_no_steward_withdraws_nothing(consents, become):
    client = logged_in("scientist@hospital.example")

    answer = client.post(reverse("withdraw_consent"), {"pseudonym": PSEUDONYM, "reason": "other", "confirmed": "yes"})

    assert answer.status_code == 403
    with become("NONE"):
        assert Grant._base_manager.get().state == "active"


def test_a_withdrawal_tells_the_time_of_each_step(world, become):
    from datetime import timedelta

    with become("NONE"):
        made = Withdrawal._base_manager.create(
            organization=world.hospital, pseudonym="cd" * 32, reason="other", origin="site"
        )
        Withdrawal._base_manager.filter(pk=made.pk).update(
            state="confirmed",
            received_at=made.created_at + timedelta(seconds=2),
            confirmed_at=made.created_at + timedelta(seconds=7),
            receipt_signature="0x1",
        )
    shown = words(logged_in("steward@hospital.example"), reverse("withdrawal", args=[made.pk]))

    assert "2 s after it was recorded" in shown
    assert "7 s after it was recorded" in shown
    assert logged_in("admin@bank.example").get(reverse("withdrawal", args=[made.pk])).status_code == 404


# Data sets


@pytest.fixture
def data_set(world: World, as_system: Any, become: Any) -> DataSet:
    columns = [
        {"name": "los", "kind": "numeric", "unit": "d"},
        {"name": "ward", "kind": "categorical", "categories": ["a"]},
    ]
    with become("NONE"):
        return DataSet._base_manager.create(
            consortium=world.consortium,
            organization=world.bank,
            name="stays",
            schema={"columns": columns},
            schema_digest="sha256:4",
            band=250,
            purposes=["DUO:0000006"],
            conditions=["DUO:0000046"],
            digest="sha256:5",
            signed_at=MOMENT,
        )


def test_a_data_set_shows_columns_purposes_and_band_to_its_consortium(data_set):
    client = logged_in("admin@hospital.example")

    listed = words(client, "/data-sets/")
    assert "stays Bank 250 to 499 Health or medical or biomedical research HMB DUO:0000006 Only:" in listed
    assert "los numeric, d" in listed
    assert "Register yours" in listed

    shown = words(client, reverse("data_set", args=[data_set.pk]))
    assert "los numeric d" in shown
    assert "ward categorical - a" in shown


def test_another_consortiums_data_set_is_not_found(data_set):
    outsider = logged_in("admin@outsider.example")

    assert outsider.get(reverse("data_set", args=[data_set.pk])).status_code == 404
    assert "stays" not in words(outsider, "/data-sets/")


def test_a_registration_that_was_replaced_points_to_the_newer_one(data_set, world, become):
    with become("NONE"):
        newer = DataSet._base_manager.get()
        newer.pk, newer.digest, newer.signed_at = None, "sha256:6", timezone.now()
        newer._state.adding = True
        newer.save()

    page = logged_in("admin@hospital.example").get(reverse("data_set", args=[data_set.pk])).text

    assert "There is a newer registration" in page
