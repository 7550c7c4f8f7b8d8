"""Missing values follow the plan's rule for their column; without one they are refused."""

from typing import Any

import pytest

from tests.unit.federated.plans import DOCUMENT, make_plan
from training.federated.algorithms.features import design_matrix
from training.federated.algorithms.targets import outcomes
from training.federated.errors import PlanFormatError, RowFormatError
from training.federated.plan import TrainingPlan

PROCEDURE, SEX, AGE = DOCUMENT["features"]
ROW = {"procedure": None, "sex": None, "age": None, "days": 9}


def plan_of(*features: dict[str, Any]) -> TrainingPlan:
    return make_plan(features=list(features))


def encoded(feature: dict[str, Any], value: object) -> list[float]:
    plan = plan_of(feature)
    return design_matrix(plan.features, [{feature["name"]: value}])[0, :-1].tolist()


@pytest.mark.parametrize("feature", [PROCEDURE, SEX, AGE, {**AGE, "missing": "refuse"}])
def test_without_a_rule_a_missing_value_is_refused_by_column(feature: dict[str, Any]) -> None:
    with pytest.raises(RowFormatError, match=f"Column {feature['name']} is missing in a row"):
        encoded(feature, None)


def test_a_missing_category_can_be_a_category_of_its_own() -> None:
    feature = {**PROCEDURE, "missing": "category"}

    assert plan_of(feature).columns == ("procedure=bypass", "procedure=none", "procedure missing")
    assert [encoded(feature, value) for value in ("angioplasty", "none", None)] == [[0, 0, 0], [0, 1, 0], [0, 0, 1]]


@pytest.mark.parametrize(
    ("feature", "constant", "expected"),
    [(PROCEDURE, "bypass", [1, 0]), (SEX, 1, [1]), (AGE, 75, [1.5])],
)
def test_a_constant_of_the_plan_can_stand_in(feature: dict[str, Any], constant: object, expected: list[float]) -> None:
    assert encoded({**feature, "missing": {"value": constant}}, None) == expected


def test_an_indicator_says_what_was_missing() -> None:
    feature = {**AGE, "missing": {"value": 60}, "indicator": True}

    assert plan_of(feature).columns == ("age", "age missing")
    assert [encoded(feature, value) for value in (60, None)] == [[0, 0], [0, 1]]


@pytest.mark.parametrize(
    "feature",
    [
        {**PROCEDURE, "missing": {"value": "surgery"}},
        {**PROCEDURE, "missing": "mean"},
        {**PROCEDURE, "missing": "category", "indicator": True},
        {**SEX, "missing": {"value": 2}},
        {**SEX, "missing": "mean"},
        {**SEX, "indicator": True},
        {**AGE, "missing": "mean"},
        {**AGE, "missing": {"value": None}},
        {**AGE, "missing": None},
        {**AGE, "missing": ["mean"]},
    ],
)
def test_a_rule_that_does_not_fit_its_column_is_refused(feature: dict[str, Any]) -> None:
    with pytest.raises(PlanFormatError, match=r"missing|indicator|feature"):
        plan_of(feature)


@pytest.mark.parametrize(
    ("target", "kind", "values", "expected"),
    [
        ({"name": "days", "greater_than": 8}, "numeric", [8, 9], [0, 1]),
        ({"name": "died", "kind": "binary"}, "binary", [0, 1, True], [0, 1, 1]),
        ({"name": "state", "kind": "categorical", "equals": "dead"}, "categorical", ["dead", "well"], [1, 0]),
    ],
)
def test_a_target_is_a_threshold_a_bit_or_one_category(
    target: dict[str, Any], kind: str, values: list[object], expected: list[float]
) -> None:
    found = make_plan(target=target).target

    assert found.kind == kind
    assert outcomes(found, [{target["name"]: value} for value in values]).tolist() == expected
    with pytest.raises(RowFormatError):
        outcomes(found, [{target["name"]: None}])


@pytest.mark.parametrize(
    "target",
    [
        {"name": "died", "kind": "numeric"},
        {"name": "died", "kind": "binary", "equals": 1},
        {"name": "state", "kind": "categorical"},
        {"name": "state", "kind": "categorical", "equals": True},
    ],
)
def test_a_target_outside_its_form_is_refused(target: dict[str, Any]) -> None:
    with pytest.raises(PlanFormatError):
        make_plan(target=target)
