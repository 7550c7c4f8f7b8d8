"""One hospital in two consortia: what its agent imports and registers for one stays out of the other."""

import json
import uuid

import pytest
from django.conf import settings

from agent.consents.content import build_content, leaf_context
from agent.errors import JobRefusedError
from agent.training.records import RecordDoor
from audit.models import AuditRecord
from consent.domain.conflicts import DEFAULT_POLICY
from consent.models import DataSet, Grant
from consortium.common.tenancy import act_for
from tests.factories.membership import make_member
from tests.integration.consent.conftest import logged_in
from tests.integration.consent.sites import carry, import_consents
from tests.unit.training.plans import plan_document
from training.federated.plan_document import PlanDocument, read_plan

NOON = 1_790_000_000
STAYS = {
    "name": "stays",
    "schema": {
        "columns": [
            {"name": "procedure", "kind": "categorical", "categories": ["angioplasty", "bypass", "none"]},
            *(
                {"name": name, "kind": kind}
                for name, kind in (("sex", "binary"), ("age", "numeric"), ("days", "numeric"))
            ),
        ]
    },
    "purposes": ["DUO:0000006"],
    "conditions": [],
    "rows": "stays.csv",
}


@pytest.fixture
def partner(world, as_system):
    """Who shares its own consortium with the hospital, and nothing else."""
    with as_system():
        make_member(world.other_consortium, world.hospital)
    return logged_in("admin@outsider.example", world)


@pytest.fixture
def registered(office, world):
    """A data set in the site's folder, registered in the first consortium alone."""
    data = office.root / "data"
    data.mkdir(mode=0o700)
    (data / "stays.csv").write_text("record,procedure,sex,age,days\n7,none,1,50,9\n")
    (data / "stays.json").write_text(json.dumps(STAYS))
    return office.data_sets.register(data / "stays.json", consortium=world.consortium.pk)


def permitting(office, consortium: uuid.UUID) -> set[str]:
    """The subjects of the epoch that the agent would anchor there."""
    context = leaf_context(settings.CHAIN_ID, consortium, office.site.configuration.organization)
    content = build_content(store=office.store, vault=office.vault, context=context, as_of=NOON, policy=DEFAULT_POLICY)
    return {leaf.pseudonym for leaf in content.leaves}


def plan_of(consortium: uuid.UUID) -> PlanDocument:
    return read_plan(plan_document(consortium=str(consortium), conditions=[]))


def test_consents_for_one_consortium_are_in_no_epoch_row_or_record_of_the_other(office, site, partner, world):
    import_consents(office, world.consortium, 12)
    carry(office, site)

    assert permitting(office, world.consortium.pk)
    assert permitting(office, world.other_consortium.pk) == set()
    with act_for(organization_id=world.hospital.pk):
        assert set(Grant.objects.values_list("consortium_id", flat=True)) == {world.consortium.pk}
    with act_for(organization_id=world.outsider.pk):
        assert not AuditRecord.objects.filter(action="consent.batch.import").exists()
    assert partner.get(f"/api/v1/consents/summary/{world.consortium.pk}").status_code == 404
    assert partner.get(f"/api/v1/consents/summary/{world.other_consortium.pk}").json()["members"] == []


def test_one_subject_has_unlinkable_leaves_in_two_consortia(office, partner, world):
    import_consents(office, world.consortium, 12)
    subjects = permitting(office, world.consortium.pk)
    here, there = (office.vault.salts_of(one.pk, subjects) for one in (world.consortium, world.other_consortium))

    assert all(here[name] != there[name] for name in subjects)


def test_a_data_set_of_one_consortium_is_shown_to_and_serves_no_other(office, site, registered, partner, world, banker):
    carry(office, site)
    door = RecordDoor(office.site.folder, office.site.journal)

    assert door.table_for(plan_of(world.consortium.pk)).records == {"7"}
    with pytest.raises(JobRefusedError) as refusal:
        door.table_for(plan_of(world.other_consortium.pk))
    assert refusal.value.reason == "local_rule"
    assert [one["name"] for one in banker.get("/api/v1/data-sets").json()] == ["stays"]
    assert partner.get("/api/v1/data-sets").json() == []
    with act_for(organization_id=world.outsider.pk):
        assert not DataSet.objects.exists()
