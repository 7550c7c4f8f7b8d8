"""A plan over four clinical columns, and rows that follow a known rule."""

import copy
from typing import Any

import numpy as np

from training.federated.algorithms.features import Row
from training.federated.plan import TrainingPlan, parse_training_plan

DOCUMENT: dict[str, Any] = {
    "algorithm": "logistic_regression",
    "features": [
        {"name": "procedure", "kind": "categorical", "categories": ["angioplasty", "bypass", "none"]},
        {"name": "sex", "kind": "binary"},
        {"name": "age", "kind": "numeric", "offset": 60.0, "scale": 10.0},
    ],
    "target": {"name": "days", "greater_than": 8},
    "learning_rate": 1.0,
    "local_steps": 20,
    "penalty": 0.0,
    "clip_bound": 4096.0,
    "max_rows": 1000,
    "max_sites": 5,
    "ring_bits": 64,
    "histogram_bins": 512,
    "calibration_bins": 16,
}


def make_plan(**changes: object) -> TrainingPlan:
    return parse_training_plan({**copy.deepcopy(DOCUMENT), **changes})


def make_rows(count: int, *, seed: int) -> list[Row]:
    """Stays whose length depends on procedure, sex and age with noise; the AUC of the rule is about 0.85."""
    generator = np.random.default_rng(seed)
    rows: list[Row] = []
    for _ in range(count):
        procedure = ["angioplasty", "bypass", "none"][generator.integers(3)]
        sex, age = int(generator.integers(2)), float(generator.normal(65, 10))
        logit = 2.2 * (procedure == "bypass") - 0.6 * (procedure == "none") + 0.5 * sex + 0.06 * (age - 65) - 0.5
        is_long = generator.random() < 1 / (1 + np.exp(-logit))
        rows.append({"procedure": procedure, "sex": sex, "age": age, "days": 12 if is_long else 5})
    return rows
