"""Nobody outside an organization sees a consent, a withdrawal or a count of its subjects."""

import uuid

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from consent import models
from consortium.common.tenancy import act_for
from tests.integration.consent.sites import carry, import_consents, post, take_withdrawals

PRIVATE = (
    models.ConsentBatch,
    models.Grant,
    models.EffectiveRule,
    models.Withdrawal,
    models.WithdrawalEffect,
)
SHARED = (models.ConsentEpoch, models.RevocationEvent, models.DataSet)


@pytest.fixture
def filled(office, site, world, steward, as_system):
    """A row of every model, made by the hospital."""
    import_consents(office, world.consortium, 6)
    carry(office, site)
    with act_for(organization_id=world.hospital.pk):
        grant = models.Grant.objects.filter(state="active").earliest("created_at")
    body = {"pseudonym": grant.pseudonym, "reason": "subject_request"}
    steward.post("/api/v1/consents/withdrawals", body, "application/json", headers={"Idempotency-Key": "w"})
    names = {"consortium_id": world.consortium.pk, "organization_id": world.hospital.pk}
    with act_for(organization_id=world.hospital.pk):
        models.ConsentEpoch.objects.create(**names, epoch=1, seq=1, root="0x", band=0, as_of="2026-01-01T00:00:00Z")
        models.RevocationEvent.objects.create(**names, epoch=1, seq=2)
        models.DataSet.objects.create(
            **names, name="d", schema={}, schema_digest="s", band=10, digest="d", signed_at="2026-01-01T00:00:00Z"
        )
    return grant


def rows(model) -> int:
    return model.objects.count()


def test_every_private_row_is_its_organizations_alone(filled, world):
    for model in PRIVATE:
        with act_for(organization_id=world.hospital.pk):
            assert rows(model) > 0, model
        for other in (world.bank, world.outsider):
            with act_for(organization_id=other.pk):
                assert rows(model) == 0, model
    with act_for(organization_id=None):
        assert {rows(model) for model in PRIVATE} == {0}


def test_epochs_and_data_sets_are_read_in_the_consortium_and_not_outside(filled, world):
    for model in SHARED:
        for organization, seen in ((world.hospital, 1), (world.bank, 1), (world.outsider, 0)):
            with act_for(organization_id=organization.pk):
                assert rows(model) == seen, model


def test_raw_sql_meets_the_same_wall(filled, world):
    with act_for(organization_id=world.bank.pk), connection.cursor() as cursor:
        for model in PRIVATE:
            cursor.execute(f"SELECT count(*) FROM {model._meta.db_table}")  # noqa: S608  a table's name
            assert cursor.fetchone() == (0,)


def test_a_member_cannot_write_for_another(filled, world):
    names = {"consortium_id": world.consortium.pk, "organization_id": world.hospital.pk}
    with act_for(organization_id=world.bank.pk), pytest.raises(ProgrammingError), transaction.atomic():
        models.ConsentEpoch.objects.create(**names, epoch=9, seq=9, root="0x", band=0, as_of="2026-01-01T00:00:00Z")
    with act_for(organization_id=world.bank.pk), pytest.raises(ProgrammingError), transaction.atomic():
        models.Withdrawal.objects.create(
            organization_id=world.hospital.pk, pseudonym="a" * 64, reason="other", origin="site"
        )
    with act_for(organization_id=world.hospital.pk):
        assert rows(models.ConsentEpoch) == 1
        assert rows(models.Withdrawal) == 1


def test_the_systems_processes_do_not_read_what_subjects_permit(filled, as_system):
    for model in (models.ConsentBatch, models.Grant, models.EffectiveRule):
        with as_system(), pytest.raises(ProgrammingError), transaction.atomic():
            rows(model)


def test_foreign_objects_answer_404_and_a_wrong_role_403(filled, world, steward, scientist, banker):
    with act_for(organization_id=world.hospital.pk):
        withdrawal = models.Withdrawal.objects.get()
    path = f"/api/v1/consents/withdrawals/{withdrawal.pk}"

    assert steward.get(path).status_code == 200
    assert scientist.get(path).status_code == 403
    assert banker.get(path).status_code == 404
    assert banker.get(f"/api/v1/consents/summary/{world.other_consortium.pk}").status_code == 404
    assert scientist.get("/api/v1/consents/imports").status_code == 403
    for body in ({"grant": str(filled.pk), "reason": "other"}, {"pseudonym": filled.pseudonym, "reason": "other"}):
        answer = banker.post(
            "/api/v1/consents/withdrawals", body, "application/json", headers={"Idempotency-Key": str(uuid.uuid4())}
        )
        assert answer.status_code == 404


def test_the_summary_shows_ones_own_exactly_and_the_others_as_bands(filled, world, steward, banker, as_system):
    with as_system():
        models.ConsentEpoch.objects.update(chain_state="confirmed")
    path = f"/api/v1/consents/summary/{world.consortium.pk}"

    own, others = steward.get(path).json(), banker.get(path).json()

    assert sum(own["own"][state] for state in ("active", "withdrawn", "draft")) == 6
    assert sum(others["own"].values()) == 0
    assert others["members"] == own["members"]
    assert others["members"][0]["band_label"] == "fewer than 10"
    assert "count" not in str(others["members"])


def test_another_agent_sees_no_withdrawal_and_gives_no_receipt(filled, office, site, bank_site, world):
    assert bank_site.get("consents/withdrawals").json() == {"results": []}
    assert take_withdrawals(office, site) == 1
    (receipt,) = office.mail.waiting()

    assert post(bank_site, receipt).status_code == 400

    with act_for(organization_id=world.hospital.pk):
        assert models.Withdrawal.objects.get().state == "recorded"
