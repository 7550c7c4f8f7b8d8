"""The plan of the story: which patients stay more than eight days, learned from four facts known at admission."""

from typing import Any

from consortium.demo.consents import SCHEMA
from training.federated.plan_document import FORMAT
from training.federated.run_terms import INITIAL_WEIGHTS_RULE
from training.federated.source_digests import code_digest, runner_digest

ROUNDS = 10
THRESHOLD, COLLUDERS = 4, 1
RESEARCH = "DUO:0000006"
FEATURES = ("procedure", "sex", "age75", "admit")
CATEGORIES = ("Patient", "Encounter", "Procedure")
LONG_STAY_DAYS = 8


def plan_document(*, title: str, consortium: str, sites: list[str]) -> dict[str, Any]:
    """A plan for these sites: n=5, t=4, c=1 tolerates one loss."""
    return {
        "format": FORMAT,
        "title": title,
        "consortium": consortium,
        "purpose": RESEARCH,
        "conditions": [],
        "categories": [f"http://hl7.org/fhir/resource-types|{name}" for name in CATEGORIES],
        "recipients": sites,
        "sites": sites,
        "data_schema": {"columns": [{"name": c["name"], "kind": c["kind"]} for c in SCHEMA["columns"]]},
        "training": {
            "algorithm": "logistic_regression",
            "features": [{"name": name, "kind": "binary"} for name in FEATURES],
            "target": {"name": "los", "greater_than": LONG_STAY_DAYS},
            "learning_rate": 1.0,
            "local_steps": 20,
            "penalty": 0,
            "clip_bound": 4_096,
            "max_rows": 500,
            "max_sites": 5,
            "ring_bits": 64,
            "histogram_bins": 512,
            "calibration_bins": 10,
        },
        "rounds": ROUNDS,
        "secure_aggregation": {"threshold": THRESHOLD, "colluders": COLLUDERS, "ring_bits": 64},
        "minimum_sites": 4,
        "minimum_band": 10,
        "verifier_quorum": 4,
        "code_digest": code_digest(),
        "runner_digest": runner_digest(),
        "initial_weights": INITIAL_WEIGHTS_RULE,
        "max_runs": 1,
        "metrics": ["accuracy", "auc", "calibration"],
        "serving_purpose": RESEARCH,
        "differential_privacy": None,
    }
