"""Means and deviations over all sites, measured in the first round like any update."""

import uuid

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.federated.federation import Federation
from tests.unit.federated.plans import make_plan
from training.federated.algorithms.features import Row, design_matrix
from training.federated.errors import PlanFormatError, RowFormatError
from training.federated.layout import WEIGHT, WEIGHTED_UPDATE
from training.federated.plan import TrainingPlan
from training.federated.plan_code import TrainTask, score_rows, train
from training.federated.runner import prepare_vector
from training.federated.secagg.parameters import SecureAggregationParameters
from training.federated.strategies.federated_averaging import strategy_step
from training.federated.weights import dump_weights, initial_weights, load_weights

RUN = uuid.UUID("2b1c8f1e-5d0b-4a57-9a52-0a3f3f6f7a11")
AGE = {"name": "age", "kind": "numeric", "minimum": 0, "maximum": 128, "missing": "mean"}
LOAD = {"name": "load", "kind": "numeric", "minimum": -1, "maximum": 1}
SEX = {"name": "sex", "kind": "binary"}
PLAN = make_plan(features=[SEX, AGE, LOAD])


def make_rows(count: int, *, seed: int, missing: float = 0.1) -> list[Row]:
    generator = np.random.default_rng(seed)
    ages = generator.uniform(20, 100, count)
    return [
        {
            "sex": int(generator.integers(2)),
            "age": None if generator.random() < missing else float(age),
            "load": float(generator.uniform(-1, 1)),
            "days": 12 if generator.random() < (age - 20) / 80 else 5,
        }
        for age in ages
    ]


SITES = [make_rows(count, seed=seed) for seed, count in enumerate((59, 95, 111))]


def step(weights: bytes, plan: TrainingPlan = PLAN, sites: list[list[Row]] = SITES) -> bytes:
    total = sum(prepare_vector(plan, train(TrainTask(plan, weights), rows)) for rows in sites)
    assert isinstance(total, np.ndarray)
    return strategy_step(weights, total, plan, survivors=len(sites))


def test_the_initial_moments_are_zero_and_the_model_is_derived_as_ever() -> None:
    weights = load_weights(PLAN.initial_weights(RUN), PLAN.weight_count)

    assert PLAN.model_size == 4
    assert PLAN.weight_count == 4 + 7
    assert weights[:4].tolist() == load_weights(initial_weights(RUN, 4), 4).tolist()
    assert weights[4:].tobytes() == bytes(56)


def test_the_first_round_pools_the_moments_and_leaves_the_model_alone() -> None:
    initial = PLAN.initial_weights(RUN)
    everybody = [row for rows in SITES for row in rows]
    ages = np.array([row["age"] for row in everybody if row["age"] is not None], float)

    before, after = (load_weights(raw, PLAN.weight_count) for raw in (initial, step(initial)))

    assert after[:4].tobytes() == before[:4].tobytes()
    assert after[-1] == 1.0
    assert after[4] == pytest.approx(len(ages) / len(everybody), abs=1e-9)
    standard = PLAN.moments.standard(after[4:])
    assert standard.means[0] * 128 == pytest.approx(ages.mean(), abs=1e-6)
    assert 128 / standard.gains[0] == pytest.approx(ages.std(), abs=1e-6)


def test_later_rounds_keep_the_moments_bit_for_bit_and_train_the_model() -> None:
    weights = step(PLAN.initial_weights(RUN))
    block = load_weights(weights, PLAN.weight_count)[4:].tobytes()

    for _ in range(3):
        before, weights = weights, step(weights)

        assert load_weights(weights, PLAN.weight_count)[4:].tobytes() == block
        assert before != weights


def test_the_round_that_measures_is_recognised_from_the_incoming_weights_alone() -> None:
    measured = step(PLAN.initial_weights(RUN))
    layout = PLAN.layout()

    first, second = (
        train(TrainTask(PLAN, raw), SITES[0])[layout.part(WEIGHTED_UPDATE).place]
        for raw in (PLAN.initial_weights(RUN), measured)
    )

    assert not first[:4].any()
    assert first[4:].any()
    assert second[:4].any()
    assert second[4:].tobytes() == bytes(56)


def test_standardized_columns_have_mean_zero_and_deviation_one_over_all_sites() -> None:
    block = load_weights(step(PLAN.initial_weights(RUN)), PLAN.weight_count)[4:]
    rows = [row for site in SITES for row in site]

    matrix = PLAN.moments.standardize(design_matrix(PLAN.features, rows), block)

    assert matrix[:, 2].mean() == pytest.approx(0, abs=1e-8)
    assert matrix[:, 2].std() == pytest.approx(1, abs=1e-8)
    is_missing = np.array([row["age"] is None for row in rows])
    assert is_missing.any()
    assert not matrix[is_missing, 1].any()
    assert matrix[~is_missing, 1].std() == pytest.approx(1, abs=1e-8)


def test_masked_moments_are_the_plain_ones_bit_for_bit() -> None:
    federation = Federation(SecureAggregationParameters(n=3, t=3, c=1, ring_bits=64))
    initial = PLAN.initial_weights(RUN)
    vectors = {
        organization: prepare_vector(PLAN, train(TrainTask(PLAN, initial), rows))
        for organization, rows in zip(federation.organizations, SITES, strict=True)
    }

    opened = federation.run(vectors)

    assert strategy_step(initial, opened.total, PLAN, survivors=3) == step(initial)


def test_before_anything_is_measured_measured_columns_count_as_nothing() -> None:
    rows = [{"sex": 1, "age": age, "load": 0.5} for age in (0.0, 60.0, None)]

    scores = score_rows(PLAN, PLAN.initial_weights(RUN), rows)

    assert len(set(scores.tolist())) == 1


def test_a_prediction_standardizes_with_the_moments_that_the_weights_carry() -> None:
    weights = PLAN.initial_weights(RUN)
    for _ in range(10):
        weights = step(weights)
    ages = np.array([row["age"] for site in SITES for row in site if row["age"] is not None], float)

    young, old, missing, mean = score_rows(
        PLAN, weights, [{"sex": 1, "age": age, "load": 0.0} for age in (25.0, 95.0, None, float(ages.mean()))]
    )

    assert young + 0.3 < old
    assert missing == pytest.approx(mean, abs=1e-9)


@pytest.mark.parametrize("ring_bits", [32, 64])
@pytest.mark.parametrize("value", [-1.0, -0.3, 0.7, 1.0, None])
def test_a_constant_or_empty_column_divides_by_nothing_and_moves_no_score(ring_bits: int, value: float | None) -> None:
    plan = make_plan(features=[SEX, AGE, {**LOAD, "missing": "mean"}], ring_bits=ring_bits, max_sites=3)
    sites: list[list[Row]] = [[{**row, "load": value} for row in rows] for rows in SITES]
    weights = plan.initial_weights(RUN)
    for _ in range(5):
        weights = step(weights, plan, sites)

    low, high = score_rows(plan, weights, [{"sex": 0, "age": 50, "load": load} for load in (-1.0, 1.0)])

    assert np.isfinite([low, high]).all()
    if ring_bits == 64:
        assert low == high


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.none() | st.floats(0, 128), min_size=1, max_size=20), min_size=1, max_size=5))
def test_pooling_any_split_gives_the_moments_of_all_rows_together(split: list[list[float | None]]) -> None:
    plan = make_plan(features=[AGE])
    sites: list[list[Row]] = [[{"age": age, "days": 9} for age in ages] for ages in split]
    initial = plan.initial_weights(RUN)

    pooled = load_weights(step(initial, plan, sites), plan.weight_count)
    together = load_weights(step(initial, plan, [[row for rows in sites for row in rows]]), plan.weight_count)

    assert pooled == pytest.approx(together, abs=1e-9)
    standard = plan.moments.standard(pooled[plan.model_size :])
    assert np.isfinite(standard.means).all()
    assert np.isfinite(standard.gains).all()


def test_a_value_outside_the_bounds_is_refused_by_column_and_bound_and_never_repeated() -> None:
    for age, words in ((-3.5, "age lies below the plan's minimum of 0"), (131.25, "above its maximum of 128")):
        with pytest.raises(RowFormatError, match=words) as refusal:
            train(TrainTask(PLAN, PLAN.initial_weights(RUN)), [{"sex": 1, "age": age, "load": 0, "days": 1}])
        assert str(age) not in refusal.value.message


def test_a_feature_that_clips_takes_the_nearer_bound() -> None:
    plan = make_plan(features=[{**AGE, "outside": "clip"}])
    feature = plan.features[0]

    assert [feature.encode(age) for age in (-1, 64, 500)] == [(0.0,), (0.5,), (1.0,)]


def test_a_clip_bound_that_could_clip_the_moments_is_refused_with_the_number_needed() -> None:
    with pytest.raises(PlanFormatError, match="at least 2646"):
        make_plan(features=[SEX, AGE, LOAD], clip_bound=2645)

    plan = make_plan(features=[SEX, AGE, LOAD], clip_bound=2646)
    rows: list[Row] = [{"sex": 1, "age": 128, "load": 1, "days": 9}] * plan.max_rows
    plain = train(TrainTask(plan, plan.initial_weights(RUN)), rows)
    sums = plan.layout().decode(prepare_vector(plan, plain), addends=1)
    assert sums[WEIGHTED_UPDATE].tolist() == [0.0] * 4 + [1000.0] * 7
    assert sums[WEIGHT].tolist() == [1000.0]


@pytest.mark.parametrize(
    "feature",
    [
        {**AGE, "minimum": 128},
        {**AGE, "maximum": "128"},
        {**AGE, "minimum": float("-inf")},
        {**AGE, "outside": "refuse"},
        {**AGE, "offset": 1},
        {**AGE, "missing": "category"},
        {**AGE, "missing": "median"},
        {**AGE, "missing": {"value": 129}},
        {**AGE, "missing": {"value": "old"}},
        {**AGE, "missing": {"value": 1, "more": 2}},
        {**AGE, "indicator": False},
        {**LOAD, "indicator": True},
    ],
)
def test_a_measured_feature_outside_its_form_is_refused(feature: dict[str, object]) -> None:
    with pytest.raises(PlanFormatError):
        make_plan(features=[feature])


def test_weights_of_a_hostile_round_keep_scores_finite() -> None:
    weights = load_weights(PLAN.initial_weights(RUN), PLAN.weight_count).copy()
    for share, mean, square in ((1e-300, 1e9, -1e9), (-1.0, 0.5, 0.5), (1e9, -1e9, 1e300)):
        weights[4:] = [share, mean, square, share, mean, square, 1.0]

        scores = score_rows(PLAN, dump_weights(weights), [{"sex": 1, "age": 50, "load": 0}])

        assert np.isfinite(scores).all()
