"""The plan's code and the trusted runner: one site's vector, plain and in the ring."""

import hashlib
import uuid

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from tests.unit.federated.plans import make_plan, make_rows
from training.federated import tensors
from training.federated.algorithms.features import design_matrix
from training.federated.algorithms.targets import outcomes
from training.federated.errors import NotFiniteError, QuantizationError, RowFormatError, TensorFormatError
from training.federated.metrics import exact_auc
from training.federated.plan_code import TrainTask, score_rows, train
from training.federated.privacy.clipping import clip_norm
from training.federated.runner import plain_from_bytes, prepare_vector
from training.federated.weights import initial_weights, load_weights

RUN = uuid.UUID("2b1c8f1e-5d0b-4a57-9a52-0a3f3f6f7a11")
PLAN = make_plan()
INITIAL = initial_weights(RUN, PLAN.weight_count)
ROWS = make_rows(200, seed=1)


def test_initial_weights_follow_from_the_run_alone() -> None:
    weights = load_weights(INITIAL, 5)

    assert initial_weights(RUN, 5) == INITIAL
    assert initial_weights(uuid.UUID(int=1), 5) != INITIAL
    assert load_weights(initial_weights(RUN, 8), 8)[:5].tolist() == weights.tolist()
    assert np.all(np.abs(weights) <= 0.01)
    raw = hashlib.sha256(b"consilium/initial-weights/1" + RUN.bytes + bytes(7) + b"\x03").digest()
    assert weights[3] == (2 * ((int.from_bytes(raw, "big") >> 203) / 2**53) - 1) * 0.01


def test_initial_weights_are_spread_over_their_interval() -> None:
    weights = load_weights(initial_weights(RUN, 4000), 4000)

    assert abs(weights.mean()) < 0.0006
    assert abs(weights.std() - 0.01 / np.sqrt(3)) < 0.0003


def test_training_is_deterministic_and_reads_its_rows_only() -> None:
    before = [dict(row) for row in ROWS]

    first, again = (train(TrainTask(PLAN, INITIAL), ROWS) for _ in range(2))

    assert first.tobytes() == again.tobytes()
    assert before == ROWS
    assert first.shape == (PLAN.layout().size,)


def test_weight_and_counts_describe_every_row_once() -> None:
    layout = PLAN.layout()

    plain = train(TrainTask(PLAN, INITIAL), ROWS)

    assert plain[layout.part("weight").place].tolist() == [200.0]
    assert plain[layout.part("histogram_positive").place].sum() == sum(row["days"] == 12 for row in ROWS)
    assert plain[layout.part("histogram_negative").place].sum() == sum(row["days"] == 5 for row in ROWS)
    assert plain[layout.part("confusion").place].sum() == 200.0
    assert plain[layout.part("calibration").place].reshape(-1, 3)[:, 0].sum() == 200.0


def test_the_update_is_the_weight_times_the_step() -> None:
    plan = make_plan(local_steps=1, learning_rate=0.5, penalty=0.1)
    old = load_weights(INITIAL, 5)
    x, y = design_matrix(plan.features, ROWS), outcomes(plan.target, ROWS)

    plain = train(TrainTask(plan, INITIAL), ROWS)

    gradient = x.T @ (1 / (1 + np.exp(-x @ old)) - y) / 200 + 0.1 * np.array([*old[:-1], 0.0])
    assert plain[:5] == pytest.approx(200 * -0.5 * gradient, rel=1e-9, abs=1e-12)


def test_many_steps_reach_scikit_learns_area_under_the_curve() -> None:
    plan = make_plan(local_steps=2000, learning_rate=1.0, max_rows=4000)
    rows, held_out = make_rows(2000, seed=2), make_rows(2000, seed=3)
    x, y = design_matrix(plan.features, rows), outcomes(plan.target, rows)
    reference = LogisticRegression(C=np.inf, fit_intercept=False, max_iter=1000).fit(x, y)

    update = train(TrainTask(plan, INITIAL), rows)[:5] / 2000
    weights = tensors.dump({"weights": load_weights(INITIAL, 5) + update})

    labels = outcomes(plan.target, held_out)
    theirs = exact_auc(reference.predict_proba(design_matrix(plan.features, held_out))[:, 1], labels)
    assert 0.75 < theirs < 0.95
    assert abs(exact_auc(score_rows(plan, weights, held_out), labels) - theirs) < 0.01


@pytest.mark.parametrize("count", [0, 1001])
def test_a_cohort_outside_the_plans_bound_is_refused(count: int) -> None:
    with pytest.raises(RowFormatError, match="1 to 1000 rows"):
        train(TrainTask(PLAN, INITIAL), [ROWS[0]] * count)


def test_incoming_weights_of_another_shape_or_not_finite_are_refused() -> None:
    with pytest.raises(TensorFormatError):
        train(TrainTask(PLAN, initial_weights(RUN, 6)), ROWS)
    with pytest.raises(NotFiniteError):
        train(TrainTask(PLAN, tensors.dump({"weights": np.full(5, np.nan)})), ROWS)


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.float64, 5, elements=st.floats(-1e300, 1e300)), st.floats(1e-3, 1e6))
def test_clipping_keeps_the_direction_and_bounds_the_norm(vector: NDArray[np.float64], bound: float) -> None:
    clipped = clip_norm(vector, bound)

    scale = max(1.0, float(np.max(np.abs(vector))))
    assert np.linalg.norm(clipped) <= bound * (1 + 1e-12)
    assert np.all(np.sign(clipped) * np.sign(vector) >= 0)
    if np.linalg.norm(vector / scale) * scale <= bound * (1 - 1e-12):
        assert np.array_equal(clipped, vector)


def test_the_runner_clips_the_update_and_leaves_weight_and_counts() -> None:
    plan = make_plan(clip_bound=2.0)
    layout = plan.layout()
    plain = train(TrainTask(plan, INITIAL), ROWS)
    assert np.linalg.norm(plain[:5]) > 2.0

    sums = layout.decode(prepare_vector(plan, plain), addends=1)

    assert np.linalg.norm(sums["weighted_update"]) == pytest.approx(2.0, abs=1e-9)
    assert sums["weighted_update"] == pytest.approx(plain[:5] * 2.0 / np.linalg.norm(plain[:5]), abs=1e-9)
    assert np.concatenate([sums[part.name] for part in layout.slices[1:]]).tolist() == plain[5:].tolist()


@pytest.mark.parametrize("place", [0, 5, 6, 700])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_an_update_that_is_not_finite_is_refused(place: int, bad: float) -> None:
    plain = train(TrainTask(PLAN, INITIAL), ROWS)
    plain[place] = bad

    with pytest.raises(NotFiniteError, match="1 of"):
        prepare_vector(PLAN, plain)


@pytest.mark.parametrize(("place", "bad"), [(5, 1001.0), (5, -1.0), (6, 0.5), (700, -1.0)])
def test_a_count_outside_its_bound_is_refused(place: int, bad: float) -> None:
    plain = train(TrainTask(PLAN, INITIAL), ROWS)
    plain[place] = bad

    with pytest.raises(QuantizationError, match="whole numbers"):
        prepare_vector(PLAN, plain)


def test_another_shape_or_type_from_the_plans_code_is_refused() -> None:
    plain = train(TrainTask(PLAN, INITIAL), ROWS)

    with pytest.raises(QuantizationError):
        prepare_vector(PLAN, plain[:-1])
    with pytest.raises(QuantizationError):
        prepare_vector(PLAN, plain.astype(np.float32))
    with pytest.raises(QuantizationError, match="bytes"):
        plain_from_bytes(PLAN, plain.tobytes()[:-1])
    assert plain_from_bytes(PLAN, plain.tobytes()).tolist() == plain.tolist()
