import copy
from typing import Any

import numpy as np
import pytest

from tests.unit.federated.plans import DOCUMENT, make_plan
from training.federated.algorithms.features import Row, design_matrix
from training.federated.algorithms.targets import outcomes
from training.federated.errors import PlanFormatError, QuantizationError, RowFormatError
from training.federated.plan import parse_training_plan

ROW = {"procedure": "bypass", "sex": 1, "age": 75.0, "days": 9}


def test_rows_become_declared_columns_with_the_intercept_last() -> None:
    plan = make_plan()
    rows = [ROW, {"procedure": "angioplasty", "sex": False, "age": 50, "days": 8}]

    assert plan.columns == ("procedure=bypass", "procedure=none", "sex", "age")
    assert plan.weight_count == 5
    assert design_matrix(plan.features, rows).tolist() == [[1.0, 0.0, 1.0, 1.5, 1.0], [0.0, 0.0, 0.0, -1.0, 1.0]]
    assert outcomes(plan.target, rows).tolist() == [1.0, 0.0]


def read_row(row: Row) -> None:
    design_matrix(make_plan().features, [row])
    outcomes(make_plan().target, [row])


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("procedure", "surgery"),
        ("procedure", None),
        ("sex", 2),
        ("sex", "1"),
        ("sex", None),
        ("age", "75"),
        ("age", None),
        ("age", True),
        ("age", np.nan),
        ("age", np.inf),
        ("days", "long"),
    ],
)
def test_a_value_outside_the_plan_is_refused_without_being_repeated(column: str, value: object) -> None:
    with pytest.raises(RowFormatError) as caught:
        read_row({**ROW, column: value})

    assert column in caught.value.message
    assert str(value) not in caught.value.message.replace(column, "").replace("0 nor 1", "")


def test_a_plan_with_an_unknown_feature_is_refused_by_name() -> None:
    plan = make_plan(features=[{"name": "weight", "kind": "binary"}])

    with pytest.raises(RowFormatError, match="Column weight is not in the data set"):
        design_matrix(plan.features, [ROW])


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("algorithm", "forest"),
        ("features", []),
        ("features", [{"name": "sex", "kind": "binary"}] * 2),
        ("features", [{"name": "days", "kind": "binary"}]),
        ("features", [{"name": "sex", "kind": "text"}]),
        ("features", [{"name": "sex", "kind": "binary", "more": 1}]),
        ("features", [{"name": "", "kind": "binary"}]),
        ("features", [{"name": "age", "kind": "numeric", "offset": 0, "scale": 0}]),
        ("features", [{"name": "p", "kind": "categorical", "categories": ["a"]}]),
        ("features", [{"name": "p", "kind": "categorical", "categories": ["a", "a"]}]),
        ("features", [{"name": "p", "kind": "categorical", "categories": ["a", ["b"]]}]),
        ("features", ["sex"]),
        ("target", {"name": "days"}),
        ("target", {"name": "days", "greater_than": "8"}),
        ("learning_rate", 0),
        ("learning_rate", float("nan")),
        ("learning_rate", True),
        ("local_steps", 0),
        ("local_steps", 1.5),
        ("penalty", -1),
        ("clip_bound", 0),
        ("max_rows", 0),
        ("max_sites", 65),
        ("histogram_bins", 511),
        ("calibration_bins", 0),
        ("more", 1),
    ],
)
def test_a_plan_outside_its_form_is_refused(key: str, value: object) -> None:
    with pytest.raises(PlanFormatError):
        make_plan(**{key: value})


@pytest.mark.parametrize("key", DOCUMENT)
def test_a_plan_with_a_missing_key_is_refused(key: str) -> None:
    document: dict[str, Any] = copy.deepcopy(DOCUMENT)
    del document[key]

    with pytest.raises(PlanFormatError):
        parse_training_plan(document)


@pytest.mark.parametrize(
    "changes", [{"ring_bits": 48}, {"ring_bits": 32, "clip_bound": 1e9}, {"max_rows": 10**8, "ring_bits": 32}]
)
def test_bounds_that_do_not_fit_the_ring_are_refused_before_anything_runs(changes: dict[str, object]) -> None:
    with pytest.raises(QuantizationError):
        make_plan(**changes)


def test_the_layout_names_every_coordinate_once() -> None:
    layout = make_plan().layout()

    places = [index for part in layout.slices for index in range(part.place.start, part.place.stop)]
    assert places == list(range(layout.size)) == list(range(5 + 1 + 512 + 512 + 4 + 48))
    assert [part.name for part in layout.slices] == [
        "weighted_update",
        "weight",
        "histogram_negative",
        "histogram_positive",
        "confusion",
        "calibration",
    ]
    # 5 sites * 4096 * 2**38 < 2**53 <= 5 sites * 4096 * 2**39
    assert layout.part("weighted_update").encoding.fraction_bits == 38
