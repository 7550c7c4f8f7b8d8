"""A plan's document over the columns of tests.unit.federated.plans."""

import copy
import uuid
from typing import Any

from tests.unit.federated.plans import DOCUMENT

SITES = [str(uuid.UUID(int=number)) for number in range(1, 6)]


def plan_document(**changes: Any) -> dict[str, Any]:
    document: dict[str, Any] = {
        "format": "consilium-plan/1",
        "title": "Long stays after cardiac procedures",
        "consortium": str(uuid.UUID(int=99)),
        "purpose": "DUO:0000006",
        "conditions": ["DUO:0000046"],
        "categories": ["http://hl7.org/fhir/resource-types|Procedure"],
        "recipients": list(SITES),
        "sites": list(SITES),
        "data_schema": {
            "columns": [
                {"name": "procedure", "kind": "categorical"},
                {"name": "sex", "kind": "binary"},
                {"name": "age", "kind": "numeric"},
                {"name": "days", "kind": "numeric"},
            ]
        },
        "training": copy.deepcopy(DOCUMENT),
        "rounds": 3,
        "secure_aggregation": {"threshold": 4, "colluders": 1, "ring_bits": 64},
        "minimum_sites": 4,
        "minimum_band": 50,
        "verifier_quorum": 3,
        "code_digest": "sha256:" + "ab" * 32,
        "runner_digest": "sha256:" + "cd" * 32,
        "initial_weights": "consilium/initial-weights/1",
        "max_runs": 3,
        "metrics": ["accuracy", "auc"],
        "serving_purpose": "HL7:TREAT",
        "differential_privacy": None,
    }
    return {**document, **changes}
