"""Plans without code: filled in from registered data sets, sound, and told in plain words."""

import copy
import uuid
from typing import Any

import pytest

from consortium.client.drafting import Wish, draft, preview
from consortium.kernel.errors import InvalidInputError
from training.federated.plan_document import PlanDocument, parse_plan
from training.federated.source_digests import code_digest, runner_digest

CONSORTIUM = str(uuid.UUID(int=99))
SITES = [str(uuid.UUID(int=number)) for number in range(1, 8)]
COLUMNS: list[dict[str, Any]] = [
    {"name": "age", "kind": "numeric", "minimum": 0, "maximum": 120, "unit": "a"},
    {"name": "ward", "kind": "categorical", "categories": ["north", "south"]},
    {"name": "sex", "kind": "binary"},
    {"name": "died", "kind": "binary"},
    {"name": "los", "kind": "numeric", "minimum": 0, "maximum": 100},
]
WISH = Wish(title="Death", data_set="stays", target="died")


def registered(count: int = 3, **changes: Any) -> list[dict[str, Any]]:
    data_set = {"consortium": CONSORTIUM, "name": "stays", "conditions": [], "purposes": ["DUO:0000006"], "band": 250}
    schema = {"columns": copy.deepcopy(COLUMNS)}
    return [{**data_set, "schema": schema, "organization": site, **changes} for site in SITES[:count]]


def drafted(wish: Wish = WISH, data_sets: list[dict[str, Any]] | None = None, members: int = 4) -> PlanDocument:
    found = registered() if data_sets is None else data_sets
    return draft(wish, consortium=CONSORTIUM, members=SITES[:members], data_sets=found)


def with_column(number: int, name: str, **changes: Any) -> list[dict[str, Any]]:
    """Return three registrations of which one describes a column otherwise."""
    found = registered()
    columns = copy.deepcopy(COLUMNS)
    next(column for column in columns if column["name"] == name).update(changes)
    found[number]["schema"] = {"columns": columns}
    return found


def test_a_draft_is_a_plan_of_this_very_code_over_all_other_columns() -> None:
    plan = drafted()

    assert parse_plan(plan.to_bytes()) == plan
    assert [feature.name for feature in plan.training_plan.features] == ["age", "ward", "sex", "los"]
    assert plan.training["target"] == {"name": "died", "kind": "binary"}
    assert (plan.code_digest, plan.runner_digest) == (code_digest(), runner_digest())
    assert [str(site) for site in plan.sites] == SITES[:3]
    assert [str(recipient) for recipient in plan.recipients] == SITES[:4]
    assert plan.training["max_rows"] == 499


@pytest.mark.parametrize(("sites", "threshold"), [(3, 3), (4, 3), (5, 4), (6, 4), (7, 5)])
def test_thresholds_are_the_lowest_that_keep_updates_closed(sites: int, threshold: int) -> None:
    terms = drafted(data_sets=registered(sites), members=7).terms

    assert (terms.threshold, terms.minimum_sites, terms.verifier_quorum, terms.colluders) == (
        threshold,
        threshold,
        threshold,
        1,
    )


def test_two_sites_are_too_few() -> None:
    with pytest.raises(InvalidInputError, match="2 sites are too few for c = 1"):
        drafted(data_sets=registered(2))


def test_sites_bounds_categories_and_rules_are_joined() -> None:
    found = with_column(1, "age", minimum=-1, maximum=110, missing="mean")
    found[2]["schema"] = {"columns": [{**COLUMNS[1], "categories": ["south", "west"]}, *COLUMNS[:1], *COLUMNS[2:]]}

    plan = drafted(data_sets=found)

    age, ward = (feature for feature in plan.training["features"] if feature["name"] in ("age", "ward"))
    assert age == {"name": "age", "kind": "numeric", "minimum": -1, "maximum": 120, "missing": "mean"}
    assert ward["categories"] == ["north", "south", "west"]


def test_columns_that_one_site_lacks_are_left_out() -> None:
    found = registered()
    found[1]["schema"] = {"columns": [column for column in COLUMNS if column["name"] != "ward"]}

    assert "ward" not in [feature.name for feature in drafted(data_sets=found).training_plan.features]
    with pytest.raises(InvalidInputError, match=r"Not every site has the columns ward\. All have: age"):
        drafted(Wish(title="t", data_set="stays", target="died", features=("ward",)), found)


@pytest.mark.parametrize(
    ("name", "changes", "words"),
    [
        ("sex", {"kind": "numeric"}, "different kinds or units"),
        ("age", {"unit": "mo"}, "different kinds or units"),
    ],
)
def test_sites_that_mean_different_things_are_told_to_agree(name: str, changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        drafted(data_sets=with_column(1, name, **changes))


def test_different_rules_for_one_column_are_told() -> None:
    found = with_column(0, "ward", missing="category")
    found[1]["schema"] = {
        "columns": [{**column, "missing": "refuse"} for column in COLUMNS if column["name"] == "ward"]
    }

    with pytest.raises(InvalidInputError, match="different rules"):
        drafted(data_sets=found)


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({"target": "los", "greater_than": 8.0}, {"name": "los", "greater_than": 8.0}),
        ({"target": "ward", "equals": "south"}, {"name": "ward", "kind": "categorical", "equals": "south"}),
    ],
)
def test_targets_follow_the_kind_of_their_column(changes: dict[str, Any], target: dict[str, Any]) -> None:
    assert drafted(Wish(**{"title": "t", "data_set": "stays", **changes})).training["target"] == target


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"target": "los"}, "--greater-than"),
        ({"target": "ward", "equals": "west"}, "--equals"),
        ({"target": "died", "greater_than": 1.0}, "a binary one neither"),
        ({"target": "dead"}, "Not every site has the columns dead"),
        ({"data_set": "other"}, "No member registered a data set other"),
        ({"sites": (SITES[0], SITES[6])}, "These sites registered no data set"),
        ({"algorithm": "forest"}, "one of logistic_regression, perceptron"),
        ({"rounds": 1}, "rounds is at least 2"),
        ({"purpose": "DUO:9999999"}, "Unknown purpose"),
    ],
)
def test_a_wish_that_cannot_be_is_refused_by_its_cause(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        drafted(Wish(**{"title": "t", "data_set": "stays", "target": "died", **changes}))


def test_a_number_without_bounds_is_named() -> None:
    found = registered()
    for one in found:
        one["schema"] = {"columns": [{"name": "age", "kind": "numeric"}, *COLUMNS[1:]]}

    with pytest.raises(InvalidInputError, match="Column age needs minimum and maximum"):
        drafted(data_sets=found)


def test_registrations_in_another_consortium_are_not_seen() -> None:
    with pytest.raises(InvalidInputError, match="No member registered"):
        drafted(data_sets=registered(consortium=str(uuid.UUID(int=98))))


def test_the_preview_says_in_plain_words_what_the_plan_does() -> None:
    plan = drafted(Wish(title="Death", data_set="stays", target="died", algorithm="perceptron", hidden_units=3))

    said = "\n".join(preview(plan, {SITES[0]: "North Hospital"}))

    assert "Learns died by perceptron from age, ward, sex, los" in said
    assert "Sites: North Hospital, " in said
    assert "n=3, t=3, c=1" in said
    assert "every site is needed" in said
    assert "at most 1 of the sites is lost" in "\n".join(preview(drafted(data_sets=registered(4)), {}))
