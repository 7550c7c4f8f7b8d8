"""Rows to score are held to the plan's schema; a refusal names column and rule, never the value."""

import pytest

from tests.unit.federated.plans import make_plan
from training.domain.schema import DataSchema, check_rows, schema_of
from training.errors import InputRefusedError, PlanInvalidError

ROW = {"procedure": "bypass", "sex": 1, "age": 63.5}


def test_rows_of_the_plans_features_are_taken() -> None:
    assert check_rows(make_plan(), [ROW]) == [ROW]


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "1 to 1000"),
        ("rows", "1 to 1000"),
        ([{**ROW, "days": 3}], "exactly the columns"),
        ([{"sex": 1, "age": 63.5}], "exactly the columns"),
        ([ROW, {**ROW, "sex": 2}], "Row 2: Feature sex"),
        ([{**ROW, "procedure": "secret-procedure"}], "Row 1: Feature procedure"),
        ([{**ROW, "age": float("nan")}], "age"),
        ([{**ROW, "age": "old"}], "age"),
        ([{**ROW, "age": None}], "age"),
        ([{**ROW, "procedure": ["bypass"]}], "procedure"),
    ],
)
def test_other_rows_are_refused(rows: object, words: str) -> None:
    with pytest.raises(InputRefusedError, match=words) as refusal:
        check_rows(make_plan(), rows)
    assert "secret" not in refusal.value.message


def test_null_is_a_missing_value_where_the_plan_has_a_rule_for_it() -> None:
    age = {"name": "age", "kind": "numeric", "minimum": 0, "maximum": 120, "missing": "mean"}
    plan = make_plan(features=[age, {"name": "sex", "kind": "binary"}])

    assert check_rows(plan, [{"age": None, "sex": 1}]) == [{"age": None, "sex": 1}]
    with pytest.raises(InputRefusedError, match="Row 1: Column sex is missing"):
        check_rows(plan, [{"age": 50, "sex": None}])
    with pytest.raises(InputRefusedError, match="Row 1: Column age lies above its maximum of 120") as refusal:
        check_rows(plan, [{"age": 121.5, "sex": 1}])
    assert "121.5" not in refusal.value.message


def test_a_schema_names_each_column_once_and_with_a_known_kind() -> None:
    schema = schema_of([("age", "numeric"), ("sex", "binary")])

    assert DataSchema.from_json(schema.to_json()) == schema
    for columns in ([("age", "numeric"), ("age", "binary")], [("age", "date")], [("", "numeric")]):
        with pytest.raises(PlanInvalidError):
            schema_of(columns)
