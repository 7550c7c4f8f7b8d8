"""The plan form: what it offers, what it says of wrong entries, and that what is kept is what was previewed."""

import json
import re
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.utils.datastructures import MultiValueDict

from audit.models import AuditRecord
from consent.models import DataSet
from consortium.common.models import Blob
from consortium.membership.models import Membership, RoleAssignment
from tests.factories.membership import make_user
from tests.factories.training import make_plan
from tests.integration.training_portal.forms import errors_of, make_data_set, previewed, words_of
from training.models import Plan
from training.portal.planning.bound import explain
from training.portal.planning.numbers import suggested_colluders, suggested_threshold

COLUMNS: list[dict[str, Any]] = [
    {"name": "sex", "kind": "binary"},
    {"name": "age", "kind": "numeric", "unit": "a"},
    {"name": "ward", "kind": "categorical", "categories": ["a", "b"]},
    {"name": "days", "kind": "numeric", "unit": "d"},
]


@pytest.fixture
def data_sets(world, as_superuser) -> dict[str, DataSet]:
    """The hospital's and the bank's stays; the bank has one more ward and no column of its own."""
    with as_superuser():
        bank = [*COLUMNS[:2], {**COLUMNS[2], "categories": ["a", "c"]}, COLUMNS[3], {"name": "loan", "kind": "numeric"}]
        return {
            "hospital": make_data_set(world, world.hospital, COLUMNS, band=100),
            "bank": make_data_set(world, world.bank, bank, band=250),
        }


@pytest.fixture
def entries(world, data_sets) -> Callable[..., dict[str, Any]]:
    """The entries of a sound plan over both data sets, with changes."""

    def make(**changes: Any) -> dict[str, Any]:
        entered: dict[str, Any] = {
            "title": "Long stays",
            "purpose": "DUO:0000006",
            "sites": [str(row.pk) for row in data_sets.values()],
            "categories": ["http://hl7.org/fhir/resource-types|Encounter"],
            "features": ["sex", "ward"],
            "target": "days",
            "greater_than": "8",
            "algorithm": "logistic_regression",
            "learning_rate": "1",
            "local_steps": "20",
            "penalty": "0",
            "rounds": "5",
            "max_runs": "2",
            "minimum_band": "10",
            "metrics": ["auc"],
            "serving_purpose": "HL7:TREAT",
            "recipients": [str(world.hospital.pk)],
            "ring_bits": "64",
            "histogram_bins": "512",
            "calibration_bins": "10",
        }
        return {**entered, **changes}

    return make


@pytest.fixture
def wards(world) -> list[str]:
    """Categories come in the order of the sites."""
    return ["a", "b", "c"] if world.hospital.pk < world.bank.pk else ["a", "c", "b"]


def kept() -> tuple[int, int, int]:
    return Plan.objects.count(), Blob.objects.count(), AuditRecord.objects.count()


def test_the_first_form_is_suggested_from_what_members_offer_and_complains_of_nothing(hospital, data_sets, wards):
    answer = hospital.get("/plans/new/")

    assert answer.status_code == 200
    assert errors_of(answer) == {}
    words = words_of(answer)
    assert "stays: 4 columns, rows in the band 100 to 249" in words
    assert f'value="{",".join(wards)}"' in answer.content.decode()
    assert "Not offered: loan not at Hospital" in words
    assert "No single update is opened, even to 0 of the sites" in words


def test_what_is_kept_is_what_was_previewed_byte_for_byte(hospital, entries, world, as_superuser):
    preview = hospital.post("/plans/new/", {**entries(), "do": "preview"})
    assert preview.status_code == 200
    shown = re.search(r'aria-label="Document"><span>(.*?)</span>', preview.content.decode(), re.DOTALL)
    assert shown
    assert not Plan.objects.exists()

    answer = hospital.post("/plans/new/", {**entries(), "do": "save", "previewed": previewed(preview)})

    with as_superuser():
        plan = Plan.objects.get()
        assert answer.headers["Location"] == f"/plans/{plan.pk}/"
        assert plan.digest == previewed(preview)
        assert bytes(Blob.objects.get(digest=plan.digest).data) == unescape(shown[1]).encode()
        assert (plan.organization, plan.state, plan.title) == (world.hospital, "draft", "Long stays")
        assert AuditRecord.objects.filter(action="training.plan.draft", subject_id=str(plan.pk)).count() == 1
    assert hospital.get(f"/plans/{plan.pk}/plan.json").content == unescape(shown[1]).encode()


def test_the_document_reads_the_chosen_columns_alone_and_computes_what_was_left_empty(hospital, entries, wards):
    preview = hospital.post("/plans/new/", {**entries(features=["sex", "age", "ward"]), "do": "preview"})

    text = re.search(r'aria-label="Document"><span>(.*?)</span>', preview.content.decode(), re.DOTALL)
    assert text
    document = json.loads(unescape(text[1]))
    names = [column["name"] for column in document["data_schema"]["columns"]]
    assert names == ["sex", "age", "ward", "days"]
    assert document["training"]["features"] == [
        {"name": "sex", "kind": "binary"},
        {"name": "age", "kind": "numeric", "offset": 0, "scale": 1},
        {"name": "ward", "kind": "categorical", "categories": wards},
    ]
    assert (document["training"]["max_rows"], document["training"]["clip_bound"]) == (499, 3992)
    assert document["secure_aggregation"] == {"threshold": 2, "colluders": 0, "ring_bits": 64}
    assert (document["minimum_sites"], document["verifier_quorum"]) == (2, 2)


def test_a_form_changed_after_its_preview_is_previewed_again_and_not_kept(hospital, entries):
    digest_before = previewed(hospital.post("/plans/new/", {**entries(), "do": "preview"}))

    answer = hospital.post("/plans/new/", {**entries(rounds="6"), "do": "save", "previewed": digest_before})

    assert answer.status_code == 200
    assert previewed(answer) != digest_before
    assert not Plan.objects.exists()


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"title": " "}, "title", "Fill this in"),
        ({"greater_than": ""}, "greater_than", "Fill this in"),
        ({"greater_than": "much"}, "greater_than", "number"),
        ({"features": []}, "features", "Fill this in"),
        ({"features": ["sex", "days"]}, "features", "cannot be learned from"),
        ({"features": ["loan"]}, "features", "not one of the available choices"),
        ({"sites": []}, "sites", "Fill this in"),
        ({"rounds": "0"}, "rounds", "greater than or equal to 1"),
        ({"threshold": "2", "colluders": "1", "minimum_sites": "2"}, "threshold", "breaks t - c >= 2"),
        ({"verifier_quorum": "9"}, "verifier_quorum", "c + 1 to minimum_sites"),
        ({"minimum_sites": "3", "threshold": "3", "verifier_quorum": "3"}, "minimum_sites", "fewer sites"),
        ({"clip_bound": "1000000000000", "ring_bits": "32"}, "clip_bound", "It does not fit"),
        ({"categories": []}, "categories", "at least one category"),
        ({"more_categories": "no bar"}, "more_categories", "system|code"),
        ({"purpose": "DUO:0000007", "disease": "flu"}, "disease", "MONDO"),
        ({"metrics": ["luck"]}, "metrics", "not one of the available choices"),
    ],
)
def test_a_wrong_entry_is_named_beside_its_field_and_nothing_is_kept_or_lost(hospital, entries, changes, field, text):
    entered = entries(**changes)
    before = kept()

    answer = hospital.post("/plans/new/", {**entered, "do": "save", "previewed": "sha256:" + "0" * 64})

    assert answer.status_code == 422
    assert text in errors_of(answer)[field]
    assert kept() == before
    if "title" not in changes:
        assert 'value="Long stays"' in answer.content.decode()


def test_one_site_is_too_few_and_two_data_sets_of_one_site_are_not_taken(hospital, entries, world, as_superuser):
    one = entries()["sites"][:1]
    assert "two sites" in errors_of(hospital.post("/plans/new/", {**entries(sites=one), "do": "preview"}))["sites"]
    with as_superuser():
        second = make_data_set(world, world.hospital, COLUMNS, name="more")
    both = [*one, str(second.pk)]

    answer = hospital.post("/plans/new/", {**entries(sites=both), "do": "preview"})

    assert "one data set a member" in errors_of(answer)["sites"]


def test_members_that_cannot_take_part_are_shown_with_the_reason(hospital, world, data_sets, as_superuser):
    with as_superuser():
        DataSet.objects.filter(pk=data_sets["bank"].pk).update(purposes=["HL7:TREAT"])
    assert "registered for other purposes: treatment" in words_of(hospital.get("/plans/new/"))
    with as_superuser():
        DataSet.objects.filter(pk=data_sets["bank"].pk).update(purposes=["DUO:0000006"], conditions=["DUO:0000046"])
    assert "asks for a condition that the plan does not state: non-commercial use only" in words_of(
        hospital.get("/plans/new/")
    )
    with as_superuser():
        Membership.objects.filter(organization=world.bank).update(status="suspended")
    assert "not an active member now" in words_of(hospital.get("/plans/new/"))
    with as_superuser():
        DataSet.objects.filter(pk=data_sets["hospital"].pk).delete()
    assert "has registered no data set" in words_of(hospital.get("/plans/new/"))


def test_a_data_set_that_does_not_fit_cannot_be_chosen(hospital, entries, data_sets, as_superuser):
    with as_superuser():
        DataSet.objects.filter(pk=data_sets["bank"].pk).update(purposes=["HL7:TREAT"])

    answer = hospital.post("/plans/new/", {**entries(), "do": "preview"})

    assert "not one of the available choices" in errors_of(answer)["sites"]


def test_the_preview_says_what_each_site_will_check_and_what_nobody_here_knows(
    hospital, entries, data_sets, as_superuser
):
    words = words_of(hospital.post("/plans/new/", {**entries(), "do": "preview"}))

    assert "Not yet The members have approved exactly this document" in words
    assert "Decided at the site Training code and runner are those that it has installed." in words
    assert "2 addends of magnitude at most 3992" in words
    assert "Holds now Its data set has every column that the plan reads" in words
    assert "Not yet Its consents are anchored" in words
    assert "Decided at the site Its cohort for this purpose is at least 10 to 24" in words
    assert words.count("Of your own people 0 permit exactly this now.") == 1


def test_the_other_member_never_sees_the_own_number(login, entries):
    words = words_of(login("bank").post("/plans/new/", {**entries(), "do": "preview"}))

    assert words.count("Of your own people") == 1


def test_a_copy_begins_with_the_plans_entries_and_shows_what_differs(hospital, entries, as_superuser):
    first = hospital.post("/plans/new/", {**entries(), "do": "preview"})
    hospital.post("/plans/new/", {**entries(), "do": "save", "previewed": previewed(first)})
    with as_superuser():
        plan = Plan.objects.get()
    copy = hospital.get(f"/plans/new/?from={plan.pk}").content.decode()
    assert 'value="Long stays"' in copy
    assert f'name="from" value="{plan.pk}"' in copy

    changed = {**entries(rounds="9"), "from": str(plan.pk)}
    second = hospital.post("/plans/new/", {**changed, "do": "preview"})
    answer = hospital.post("/plans/new/", {**changed, "do": "save", "previewed": previewed(second)})

    words = words_of(hospital.get(answer.headers["Location"]))
    assert "What differs from the plan it was copied from" in words
    assert "rounds 5 9" in words
    with as_superuser():
        assert Plan.objects.exclude(pk=plan.pk).get().copied_from == plan


def test_the_same_plan_again_is_refused_with_everything_still_there(hospital, entries):
    digest_once = previewed(hospital.post("/plans/new/", {**entries(), "do": "preview"}))
    hospital.post("/plans/new/", {**entries(), "do": "save", "previewed": digest_once})

    answer = hospital.post("/plans/new/", {**entries(), "do": "save", "previewed": digest_once})

    assert answer.status_code == 422
    assert "exactly this plan already" in words_of(answer)
    assert Plan.objects.count() == 1


def test_a_plan_of_another_consortium_is_not_copied(login, world, as_superuser):
    with as_superuser():
        plan = make_plan(world)

    assert login("outsider").get(f"/plans/new/?from={plan.pk}").status_code == 404


def test_roles_without_the_right_see_no_form_and_keep_nothing(world, entries, as_superuser):
    with as_superuser():
        steward = make_user("steward@hospital.example")
        RoleAssignment.objects.create(user=steward, organization=world.hospital, role="steward")
    client = Client()
    assert client.login(email="steward@hospital.example", password="a long pass phrase")
    before = kept()

    assert client.get("/plans/new/").status_code == 403
    assert client.post("/plans/new/", {**entries(), "do": "save"}).status_code == 403
    assert kept() == before
    assert "Draft a plan" not in words_of(client.get("/plans/"))


@pytest.mark.parametrize("sites", range(2, 65))
def test_the_suggested_numbers_hold_for_every_number_of_sites(sites):
    threshold, colluders = suggested_threshold(sites), suggested_colluders(sites)

    found = explain(sites=sites, minimum=threshold, threshold=threshold, colluders=colluders, quorum=threshold)

    assert found.holds, found


def test_a_bound_that_breaks_says_which_numbers_would_hold():
    found = explain(sites=5, minimum=3, threshold=3, colluders=1, quorum=3)

    assert not found.holds
    assert found.summary == "Single updates would not stay closed. For these sites t = 4 and c = 1 hold."
    assert [line.holds for line in found.lines] == [False, True, True, True, True]


def test_the_form_reads_entries_that_come_as_a_plain_mapping(world):
    from training.portal.planning.form import PlanForm

    form = PlanForm(MultiValueDict({"title": ["x"]}), offers=[], recipients=[])

    assert not form.is_valid()
    assert "sites" in form.errors
