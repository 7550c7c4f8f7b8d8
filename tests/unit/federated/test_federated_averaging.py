"""The step from a sum to the next weights, plain and through secure aggregation."""

import uuid

import numpy as np
import pytest

from tests.unit.federated.federation import Federation
from tests.unit.federated.plans import make_plan, make_rows
from training.federated import tensors
from training.federated.errors import QuantizationError, RangeCheckError, TensorFormatError
from training.federated.metrics import pooled_metrics
from training.federated.plan_code import TrainTask, train
from training.federated.runner import prepare_vector
from training.federated.secagg.parameters import SecureAggregationParameters
from training.federated.secagg.prg import RingVector
from training.federated.secagg.verification import make_result, verify_round
from training.federated.strategies.federated_averaging import strategy_step
from training.federated.weights import initial_weights, load_weights

RUN = uuid.UUID("2b1c8f1e-5d0b-4a57-9a52-0a3f3f6f7a11")
PLAN = make_plan(local_steps=5)
INITIAL = initial_weights(RUN, PLAN.weight_count)
SIZES = (59, 95, 111, 145, 376)


def site_vector(seed: int, count: int, weights: bytes = INITIAL) -> RingVector:
    return prepare_vector(PLAN, train(TrainTask(PLAN, weights), make_rows(count, seed=seed)))


def test_one_site_equals_central_training_bit_for_bit() -> None:
    # 64 rows: a power of two, so that weighting and dividing are exact and only the grid of 2**-38 rounds
    rows = make_rows(64, seed=5)
    layout = PLAN.layout()
    steps = 2.0 ** layout.part("weighted_update").encoding.fraction_bits

    weights = central = INITIAL
    for _ in range(10):
        weights = strategy_step(weights, prepare_vector(PLAN, train(TrainTask(PLAN, weights), rows)), PLAN, survivors=1)
        old = load_weights(central, 5)
        new = old + train(TrainTask(PLAN, central), rows)[:5] / 64
        central = tensors.dump({"weights": old + np.rint(64 * (new - old) * steps) / steps / 64})

    assert weights == central


def test_masked_rounds_equal_plain_rounds_bit_for_bit_and_verify() -> None:
    federation = Federation(SecureAggregationParameters(n=5, t=4, c=1, ring_bits=64))
    vectors = {
        organization: site_vector(seed, count)
        for seed, (organization, count) in enumerate(zip(federation.organizations, SIZES, strict=True))
    }
    plain = np.zeros(PLAN.layout().size, np.uint64)
    for vector in vectors.values():
        plain += vector

    opened = federation.run(vectors)
    next_weights = strategy_step(INITIAL, opened.total, PLAN, survivors=5)

    assert next_weights == strategy_step(INITIAL, plain, PLAN, survivors=5)
    verified = verify_round(
        opened=federation.opened,
        claimed=make_result(opened.survivors, opened.total, next_weights),
        masked=federation.masked,
        secrets=opened.secrets,
        size=PLAN.layout().size,
        step=lambda total, survivors: strategy_step(INITIAL, total, PLAN, survivors=survivors),
    )
    assert verified == next_weights


@pytest.mark.parametrize("ring_bits", [32, 64])
def test_the_step_is_the_weighted_mean_within_the_error_bound(ring_bits: int) -> None:
    plan = make_plan(local_steps=5, ring_bits=ring_bits, clip_bound=512.0)
    plains = [train(TrainTask(plan, INITIAL), make_rows(count, seed=i)) for i, count in enumerate(SIZES)]
    total = prepare_vector(plan, plains[0])
    for plain in plains[1:]:
        total = total + prepare_vector(plan, plain)

    stepped = load_weights(strategy_step(INITIAL, total, plan, survivors=5), 5)

    mean = load_weights(INITIAL, 5) + sum(plain[:5] for plain in plains) / sum(SIZES)
    bound = plan.layout().part("weighted_update").encoding.error_bound / sum(SIZES)
    assert np.all(np.abs(stepped - mean) <= bound + 1e-15)


def test_pooled_metrics_come_out_of_the_sum() -> None:
    total = site_vector(1, 300) + site_vector(2, 200)

    metrics = pooled_metrics(PLAN.layout().decode(total, addends=2))

    assert metrics.rows == 500
    assert 0.0 <= metrics.auc.value <= 1.0


def changed(vector: RingVector, place: int, by: int) -> RingVector:
    other = vector.copy()
    other[place : place + 1] += np.array([by], np.int64).view(np.uint64)
    return other


@pytest.mark.parametrize(
    ("place", "by"),
    [
        (0, 2**53),  # an update beyond the clip
        (5, 10_000),  # a weight beyond the plan
        (5, 1),  # a weight that the counts contradict
        (5, -200),  # no weight at all
        (6, 1),  # a histogram with one row more
        (6, -1000),  # a negative count
        (5 + 1 + 1024, 1),  # a confusion matrix with one row more
        (5 + 1 + 1024 + 4, 1),  # a calibration table with one row more
        (5 + 1 + 1024 + 5, 1),  # one positive more than there are
    ],
)
def test_a_sum_that_no_honest_sites_can_send_is_refused(place: int, by: int) -> None:
    total = site_vector(1, 100) + site_vector(2, 100)

    with pytest.raises(RangeCheckError):
        strategy_step(INITIAL, changed(total, place, by), PLAN, survivors=2)
    strategy_step(INITIAL, total, PLAN, survivors=2)


def test_a_sum_with_a_mask_left_in_it_is_refused() -> None:
    noise = np.random.default_rng(1).integers(0, 2**64, PLAN.layout().size, np.uint64)

    with pytest.raises(RangeCheckError):
        strategy_step(INITIAL, site_vector(1, 100) + noise, PLAN, survivors=1)


def test_other_shapes_weights_and_counts_of_survivors_are_refused() -> None:
    total = site_vector(1, 100)

    with pytest.raises(RangeCheckError, match="shape"):
        strategy_step(INITIAL, total[:-1], PLAN, survivors=1)
    with pytest.raises(QuantizationError, match="6 addends"):
        strategy_step(INITIAL, total, PLAN, survivors=6)
    with pytest.raises(TensorFormatError):
        strategy_step(initial_weights(RUN, 6), total, PLAN, survivors=1)
