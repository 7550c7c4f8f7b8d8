"""The perceptron against finite differences, an implementation by scikit-learn, and a rule that no line separates."""

import uuid

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.neural_network import MLPClassifier

from tests.unit.federated.plans import make_plan
from training.federated.algorithms.base import descend
from training.federated.algorithms.features import Row
from training.federated.algorithms.perceptron import Perceptron
from training.federated.errors import PlanFormatError
from training.federated.metrics import exact_auc
from training.federated.plan_code import TrainTask, score_rows, train
from training.federated.weights import dump_weights, load_weights

RUN = uuid.UUID("2b1c8f1e-5d0b-4a57-9a52-0a3f3f6f7a11")
COLUMNS = 4


def make_data(seed: int, rows: int = 30) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    generator = np.random.default_rng(seed)
    matrix = np.hstack([generator.normal(size=(rows, COLUMNS - 1)), np.ones((rows, 1))])
    return matrix, (generator.random(rows) < 0.5).astype(float)


def loss(algorithm: Perceptron, weights: NDArray[np.float64], matrix: NDArray[np.float64], labels: object) -> float:
    scores = algorithm.predict(weights, matrix)
    return float(-np.mean(np.where(labels == 1, np.log(scores), np.log(1 - scores))))


@settings(max_examples=20, deadline=None)
@given(st.integers(1, 6), st.integers(0, 2**32 - 1))
def test_the_gradient_is_that_of_finite_differences(units: int, seed: int) -> None:
    algorithm = Perceptron(units)
    matrix, labels = make_data(seed)
    weights = np.random.default_rng(seed + 1).normal(size=algorithm.weight_count(COLUMNS))
    step = 1e-6

    differences = [
        (loss(algorithm, weights + shift, matrix, labels) - loss(algorithm, weights - shift, matrix, labels)) / 2 / step
        for shift in step * np.eye(weights.size)
    ]

    assert algorithm.gradient(weights, matrix, labels) == pytest.approx(differences, abs=1e-7)


def test_steps_are_those_of_scikit_learns_perceptron() -> None:
    algorithm, rate, penalty, steps = Perceptron(3), 0.3, 0.02, 25
    matrix, labels = make_data(5, rows=40)
    weights = np.random.default_rng(6).normal(size=algorithm.weight_count(COLUMNS))
    theirs = MLPClassifier(
        hidden_layer_sizes=(3,),
        activation="tanh",
        solver="sgd",
        batch_size=40,
        learning_rate_init=rate,
        momentum=0.0,
        alpha=penalty * 40,
        max_iter=1,
    )
    theirs.partial_fit(matrix[:, :-1], labels, classes=[0.0, 1.0])
    hidden = weights[:12].reshape(3, 4)
    theirs.coefs_[:] = [hidden[:, :-1].T.copy(), weights[12:15].reshape(3, 1).copy()]
    theirs.intercepts_[:] = [hidden[:, -1].copy(), weights[15:].copy()]
    theirs._optimizer.params = theirs.coefs_ + theirs.intercepts_

    for _ in range(steps):
        theirs.partial_fit(matrix[:, :-1], labels)
    ours = descend(algorithm, weights, matrix, labels, learning_rate=rate, steps=steps, penalty=penalty)

    assert ours[:12].reshape(3, 4)[:, :-1] == pytest.approx(theirs.coefs_[0].T, abs=1e-9)
    assert ours[:12].reshape(3, 4)[:, -1] == pytest.approx(theirs.intercepts_[0], abs=1e-9)
    assert ours[12:15] == pytest.approx(theirs.coefs_[1][:, 0], abs=1e-9)
    assert ours[15:] == pytest.approx(theirs.intercepts_[1], abs=1e-9)


def test_a_rule_that_no_line_separates_is_learned() -> None:
    generator = np.random.default_rng(7)
    features = [{"name": name, "kind": "numeric", "offset": 0, "scale": 1} for name in "xy"]
    rows: list[Row] = [
        {"x": float(x), "y": float(y), "days": 9 if x * y > 0 else 1} for x, y in generator.normal(size=(800, 2))
    ]
    labels = np.array([row["days"] == 9 for row in rows], float)

    def auc(**changes: object) -> float:
        plan = make_plan(features=features, local_steps=1500, learning_rate=0.5, **changes)
        initial = plan.initial_weights(RUN)
        update = train(TrainTask(plan, initial), rows)[: plan.weight_count] / len(rows)
        return exact_auc(
            score_rows(plan, dump_weights(load_weights(initial, plan.weight_count) + update), rows), labels
        )

    assert auc() < 0.6
    assert auc(algorithm="perceptron", hidden_units=8) > 0.97


def test_initial_weights_follow_from_the_run_and_spread_each_layer_by_its_inputs() -> None:
    plan = make_plan(algorithm="perceptron", hidden_units=64)

    weights = load_weights(plan.initial_weights(RUN), plan.weight_count)

    hidden, output = weights[: 64 * 5], weights[64 * 5 : -1]
    assert plan.weight_count == 64 * 5 + 64 + 1
    assert plan.initial_weights(RUN) == plan.initial_weights(RUN) != plan.initial_weights(uuid.UUID(int=1))
    assert 0.9 / np.sqrt(5) < np.abs(hidden).max() <= 1 / np.sqrt(5)
    assert 0.9 / np.sqrt(65) < np.abs(output).max() <= 1 / np.sqrt(65)
    assert abs(weights[-1]) <= 0.01


def test_the_penalty_shrinks_everything_but_the_intercepts() -> None:
    algorithm = Perceptron(2)

    assert algorithm.penalized(3).tolist() == [1, 1, 0, 1, 1, 0, 1, 1, 0]


@pytest.mark.parametrize("changes", [{}, {"hidden_units": 0}, {"hidden_units": 65}, {"hidden_units": True}])
def test_a_perceptron_without_a_fitting_number_of_units_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(PlanFormatError, match="hidden_units"):
        make_plan(algorithm="perceptron", **changes)


def test_logistic_regression_has_no_hidden_units() -> None:
    with pytest.raises(PlanFormatError, match="exactly the keys"):
        make_plan(hidden_units=3)
