"""Plans that measure columns, fill in what is missing, or train a perceptron: made, copied and told by the pages."""

import copy
from typing import Any

import pytest

from consent.models import DataSet
from consortium.client.drafting import Wish, draft
from consortium.common import blobs
from tests.integration.training_portal.forms import (
    document_of,
    document_text,
    entries_of,
    errors_of,
    make_data_set,
    words_of,
)
from training.domain.plan_document import PlanDocument, read_plan
from training.federated.source_digests import code_digest, runner_digest
from training.models import Plan

COLUMNS: list[dict[str, Any]] = [
    {"name": "los", "kind": "numeric", "unit": "d", "minimum": 0, "maximum": 180, "missing": "mean"},
    {"name": "hmo", "kind": "binary"},
    {"name": "type", "kind": "categorical", "categories": [1, 2, 3], "missing": "category"},
    {"name": "age", "kind": "numeric", "minimum": 0, "maximum": 120, "outside": "clip"},
    {"name": "died", "kind": "binary"},
]


@pytest.fixture
def data_sets(world, as_superuser) -> list[DataSet]:
    with as_superuser():
        wider = copy.deepcopy(COLUMNS)
        wider[0]["maximum"] = 365
        wider[2]["categories"] = [3, 4]
        return [
            make_data_set(world, world.hospital, COLUMNS, band=100),
            make_data_set(world, world.bank, wider, band=250),
        ]


@pytest.fixture
def preview(hospital, data_sets):
    """Change some of the entries that the form suggests, and preview them."""

    def run(**changes: Any) -> Any:
        entered = entries_of(hospital.get("/plans/new/")) | {"title": ["Death"]}
        for name, value in changes.items():
            entered[name] = value if isinstance(value, list) else [value]
        return hospital.post("/plans/new/", {**entered, "do": "preview"})

    return run


def by_name(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {feature["name"]: feature for feature in document["training"]["features"]}


def test_what_the_data_sets_declare_stands_in_the_form_with_the_widest_bounds_and_all_categories(preview, world):
    document = document_of(preview())
    is_first = world.hospital.pk < world.bank.pk

    assert by_name(document) == {
        "los": {"name": "los", "kind": "numeric", "minimum": 0, "maximum": 365, "missing": "mean"},
        "hmo": {"name": "hmo", "kind": "binary"},
        "type": {
            "name": "type",
            "kind": "categorical",
            "missing": "category",
            "categories": [1, 2, 3, 4] if is_first else [3, 4, 1, 2],
        },
        "age": {"name": "age", "kind": "numeric", "minimum": 0, "maximum": 120, "outside": "clip"},
    }
    assert document["training"]["target"] == {"name": "died", "kind": "binary"}


def test_a_plan_of_the_form_is_the_one_that_the_command_drafts_for_the_same_choices(preview, world, data_sets):
    wish = Wish(
        title="Death",
        data_set="stays",
        target="died",
        algorithm="perceptron",
        hidden_units=4,
        rounds=8,
        colluders=0,
        categories=("Patient", "Encounter"),
    )
    names = ("name", "schema", "band", "conditions", "purposes")
    listed = [
        {**{name: getattr(row, name) for name in names}, "consortium": str(row.consortium_id)}
        | {"organization": str(row.organization_id)}
        for row in data_sets
    ]
    members = [str(world.hospital.pk), str(world.bank.pk)]
    drafted = draft(wish, consortium=str(world.consortium.pk), members=members, data_sets=listed)

    made = preview(
        algorithm="perceptron",
        hidden_units="4",
        rounds="8",
        categories=[f"http://hl7.org/fhir/resource-types|{name}" for name in wish.categories],
    )

    assert document_text(made).encode() == drafted.to_bytes()


@pytest.mark.parametrize(
    ("changes", "feature"),
    [
        (
            {"reading.los": "fixed", "offset.los": "9.5", "scale.los": "2", "missing.los": ""},
            {"name": "los", "kind": "numeric", "offset": 9.5, "scale": 2},
        ),
        (
            {"missing.los": "value", "value.los": "7", "indicator.los": "on"},
            {
                "name": "los",
                "kind": "numeric",
                "minimum": 0,
                "maximum": 365,
                "missing": {"value": 7},
                "indicator": True,
            },
        ),
        (
            {"missing.hmo": "value", "value.hmo": "1", "indicator.hmo": "on"},
            {"name": "hmo", "kind": "binary", "missing": {"value": 1}, "indicator": True},
        ),
        (
            {"categories.type": "3, 1", "missing.type": "value", "value.type": "1"},
            {"name": "type", "kind": "categorical", "categories": [3, 1], "missing": {"value": 1}},
        ),
        # What does not count with the other answers may hold anything.
        (
            {"missing.hmo": "", "value.hmo": "x", "indicator.hmo": "on"},
            {"name": "hmo", "kind": "binary"},
        ),
    ],
)
def test_each_rule_of_a_column_can_be_chosen(preview, changes, feature):
    assert by_name(document_of(preview(**changes)))[feature["name"]] == feature


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({"target": "hmo", "features": ["los"]}, {"name": "hmo", "kind": "binary"}),
        ({"target": "type", "features": ["los"], "equals": "3"}, {"name": "type", "kind": "categorical", "equals": 3}),
        ({"target": "los", "features": ["hmo"], "greater_than": "9"}, {"name": "los", "greater_than": 9}),
    ],
)
def test_a_target_is_a_binary_column_a_category_or_a_number_above_a_bound(preview, changes, target):
    document = document_of(preview(**changes))

    assert document["training"]["target"] == target
    assert [column["name"] for column in document["data_schema"]["columns"]] == [*changes["features"], target["name"]]


@pytest.mark.parametrize(
    ("changes", "field", "text"),
    [
        ({"minimum.los": ""}, "minimum.los", "Fill this in"),
        ({"minimum.los": "400"}, "minimum.los", "lies below its maximum"),
        ({"maximum.los": "many"}, "maximum.los", "Enter a number"),
        ({"reading.los": "fixed"}, "missing.los", "Only a measured column"),
        ({"reading.los": "fixed", "missing.los": "", "scale.los": "0"}, "scale.los", "above zero"),
        ({"missing.los": "value"}, "value.los", "Fill this in"),
        ({"missing.los": "value", "value.los": "999"}, "value.los", "is no value of its kind"),
        ({"missing.hmo": "value", "value.hmo": "2"}, "value.hmo", "not one of the available choices"),
        ({"categories.type": "1"}, "categories.type", "at least two"),
        ({"categories.type": "1,9"}, "categories.type", "No chosen data set has 9"),
        ({"missing.type": "mean"}, "missing.type", "not one of the available choices"),
        ({"target": "type", "features": ["los"]}, "equals", "Fill this in"),
        ({"target": "type", "features": ["los"], "equals": "9"}, "equals", "not one of the available choices"),
        ({"rounds": "1"}, "rounds", "at least 2"),
        ({"clip_bound": "1000"}, "clip_bound", "could clip the round that measures"),
        ({"algorithm": "perceptron", "hidden_units": "65"}, "hidden_units", "less than or equal to 64"),
        ({"learning_rate": "0"}, "learning_rate", "above zero"),
    ],
)
def test_a_wrong_rule_is_named_beside_its_field(preview, changes, field, text):
    answer = preview(**changes)

    assert answer.status_code == 422
    assert text in errors_of(answer)[field]
    assert not Plan.objects.exists()


def test_the_form_and_the_preview_say_that_one_round_measures_and_what_its_sum_reveals(hospital, preview):
    for words in (words_of(hospital.get("/plans/new/")), words_of(preview())):
        assert "The first round of a run measures and trains nothing" in words
        assert "Of each measured column (los, age) it reveals three numbers over all sites' rows together" in words
        assert "the share of missing values, the mean and the variance" in words
        assert "With two sites, each can work out the other's numbers" in words
    assert "one of them measures" in words_of(preview())
    fixed = {"reading.los": "fixed", "missing.los": "", "reading.age": "fixed"}
    assert "measures and trains nothing:" not in words_of(preview(**fixed))


def test_the_computed_clip_bound_never_clips_the_round_that_measures(hospital, data_sets, as_superuser, preview):
    many = [{"name": f"c{n}", "kind": "numeric", "minimum": 0, "maximum": 1} for n in range(40)]
    with as_superuser():
        for row in data_sets:
            DataSet.objects.filter(pk=row.pk).update(schema={"columns": [*many, COLUMNS[-1]]})

    training = document_of(preview(max_rows="1000"))["training"]

    assert training["clip_bound"] == 11_000


def test_a_perceptron_has_steps_of_its_own_and_is_never_called_logistic_regression(hospital, preview, as_superuser):
    made = preview(algorithm="perceptron", hidden_units="4")
    training = document_of(made)["training"]
    assert (training["learning_rate"], training["penalty"], training["hidden_units"]) == (0.5, 0.001, 4)
    section = words_of(made).partition("What it does")[2].partition("What the sites will check")[0]
    assert "Whether died is 1, by a perceptron with 4 hidden units" in section
    assert "ogistic" not in section

    digest = made.content.decode().partition('name="previewed" value="')[2].partition('"')[0]
    kept = hospital.post("/plans/new/", {**entries_of(made), "do": "save", "previewed": digest})

    words = words_of(hospital.get(kept.headers["Location"]))
    assert "by a perceptron with 4 hidden units" in words
    assert "one of them measures" in words
    assert "ogistic" not in words


def copied(world: Any, **training: Any) -> PlanDocument:
    """A plan as a program may have posted it: in an order of its own, with everything that the form has to keep."""
    sites = [str(world.hospital.pk), str(world.bank.pk)]
    names = {column["name"]: column["kind"] for column in COLUMNS}
    return read_plan(
        {
            "format": "consilium-plan/1",
            "title": "By a program",
            "consortium": str(world.consortium.pk),
            "purpose": "DUO:0000007[MONDO:0005267]",
            "conditions": ["DUO:0000046"],
            "categories": ["http://hl7.org/fhir/resource-types|Procedure", "urn:x|y"],
            "recipients": sites[:1],
            "sites": sites,
            "data_schema": {"columns": [{"name": n, "kind": names[n]} for n in ("died", "age", "type", "los", "hmo")]},
            "training": {
                "algorithm": "logistic_regression",
                "features": [{"name": "los", "kind": "numeric", "offset": 3.25, "scale": 1e-7, "missing": "refuse"}],
                "target": {"name": "died", "kind": "binary"},
                "learning_rate": 1e-12,
                "local_steps": 3,
                "penalty": 0.125,
                "clip_bound": 40_960.5,
                "max_rows": 4_000,
                "max_sites": 7,
                "ring_bits": 64,
                "histogram_bins": 600,
                "calibration_bins": 16,
                **training,
            },
            "rounds": 3,
            "secure_aggregation": {"threshold": 2, "colluders": 0, "ring_bits": 64},
            "minimum_sites": 2,
            "minimum_band": 25_000,
            "verifier_quorum": 1,
            "code_digest": code_digest(),
            "runner_digest": runner_digest(),
            "initial_weights": "consilium/initial-weights/1",
            "max_runs": 3,
            "metrics": [],
            "serving_purpose": "HL7:HMARKT",
            "differential_privacy": None,
        }
    )


MEASURED = [
    {"name": "type", "kind": "categorical", "categories": [3, 1, 2], "missing": {"value": 2}},
    {"name": "age", "kind": "numeric", "minimum": -0.5, "maximum": 99.5, "missing": {"value": 50}, "indicator": True},
    {"name": "los", "kind": "numeric", "minimum": 1, "maximum": 90, "outside": "clip", "missing": "mean"},
    {"name": "hmo", "kind": "binary", "missing": {"value": 0}, "indicator": True},
]


@pytest.mark.parametrize(
    "training",
    [
        {},
        {"features": MEASURED},
        {"features": MEASURED, "algorithm": "perceptron", "hidden_units": 3},
        {"target": {"name": "type", "kind": "categorical", "equals": 3}},
        {"target": {"name": "age", "greater_than": 64.5}, "algorithm": "perceptron", "hidden_units": 64},
    ],
)
def test_the_copy_of_any_plan_is_the_same_plan_byte_for_byte(hospital, data_sets, world, as_superuser, training):
    document = copied(world, **training)
    with as_superuser():
        blobs.put(consortium_id=world.consortium.pk, data=document.to_bytes())
        DataSet.objects.update(conditions=["DUO:0000046"])
        plan = Plan.objects.create(
            consortium=world.consortium,
            organization=world.hospital,
            title=document.title,
            digest=document.digest(),
            subject="0x" + document.subject().hex(),
        )

    first = hospital.get(f"/plans/new/?from={plan.pk}")
    again = hospital.post("/plans/new/", {**entries_of(first), "do": "preview"})

    assert "Not everything of the plan fits today" not in words_of(first)
    assert document_text(again).encode() == document.to_bytes()


def test_a_copy_says_what_members_offer_no_more(hospital, data_sets, world, as_superuser):
    document = copied(world, features=MEASURED)
    with as_superuser():
        blobs.put(consortium_id=world.consortium.pk, data=document.to_bytes())
        plan = Plan.objects.create(
            consortium=world.consortium,
            organization=world.hospital,
            title=document.title,
            digest=document.digest(),
            subject="0x" + document.subject().hex(),
        )
        DataSet.objects.filter(organization=world.bank).delete()

    words = words_of(hospital.get(f"/plans/new/?from={plan.pk}"))

    assert "Not everything of the plan fits today" in words
    assert "members offer something else by now: Sites and their data sets" in words
