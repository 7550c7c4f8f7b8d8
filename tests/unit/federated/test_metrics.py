import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from training.federated.algorithms.counts import metric_counts
from training.federated.errors import MetricUndefinedError
from training.federated.metrics import (
    accuracy,
    calibration_curve,
    calibration_error,
    exact_auc,
    pooled_auc,
    pooled_metrics,
)

SCORED = st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=2, max_size=60).filter(
    lambda rows: len({label for _, label in rows}) == 2
)


@settings(max_examples=100, deadline=None)
@given(SCORED, st.sampled_from([1, 8, 512]))
def test_the_pooled_area_is_within_its_bound_of_the_exact_one(rows: list[tuple[float, int]], bins: int) -> None:
    scores, labels = np.array([s for s, _ in rows]), np.array([float(y) for _, y in rows])
    counts = metric_counts(scores, labels, histogram_bins=bins, calibration_bins=4)

    pooled = pooled_auc(counts["histogram_negative"], counts["histogram_positive"])

    assert abs(pooled.value - exact_auc(scores, labels)) <= pooled.error_bound + 1e-12


def test_512_bins_give_a_bound_below_half_a_hundredth_on_spread_scores() -> None:
    generator = np.random.default_rng(1)
    labels = (generator.random(5000) < 0.4).astype(np.float64)
    scores = 1 / (1 + np.exp(-(generator.normal(size=5000) + 1.5 * labels)))
    counts = metric_counts(scores, labels, histogram_bins=512, calibration_bins=16)

    metrics = pooled_metrics(counts)

    assert metrics.auc.error_bound < 0.005
    assert abs(metrics.auc.value - exact_auc(scores, labels)) <= metrics.auc.error_bound
    assert metrics.rows == 5000


@settings(max_examples=50, deadline=None)
@given(SCORED)
def test_the_exact_area_agrees_with_scikit_learn(rows: list[tuple[float, int]]) -> None:
    scores, labels = np.array([s for s, _ in rows]), np.array([float(y) for _, y in rows])

    assert exact_auc(scores, labels) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


def test_counts_of_four_rows_are_exactly_these() -> None:
    scores, labels = np.array([0.0, 0.5, 0.25, 1.0]), np.array([0.0, 0.0, 1.0, 1.0])

    counts = metric_counts(scores, labels, histogram_bins=4, calibration_bins=2)

    assert counts["histogram_negative"].tolist() == [1, 0, 1, 0]
    assert counts["histogram_positive"].tolist() == [0, 1, 0, 1]
    assert counts["confusion"].tolist() == [1, 1, 1, 1]
    assert counts["calibration"].tolist() == [2, 1, 256, 2, 1, 1536]


def test_accuracy_and_calibration_of_known_counts() -> None:
    curve = calibration_curve(np.array([10.0, 2.0, 1024.0, 0.0, 0.0, 0.0, 30.0, 27.0, 1024.0 * 24]))

    assert accuracy(np.array([3.0, 1.0, 2.0, 4.0])) == 0.7
    assert [(bin_.rows, bin_.mean_score, bin_.observed_share) for bin_ in curve] == [(10, 0.1, 0.2), (30, 0.8, 0.9)]
    assert calibration_error(curve) == pytest.approx(0.1)


def test_metrics_without_rows_of_both_classes_are_undefined() -> None:
    with pytest.raises(MetricUndefinedError):
        pooled_auc(np.zeros(4), np.ones(4))
    with pytest.raises(MetricUndefinedError):
        exact_auc(np.ones(2), np.ones(2))
    with pytest.raises(MetricUndefinedError):
        accuracy(np.zeros(4))
    with pytest.raises(MetricUndefinedError):
        calibration_error(())
