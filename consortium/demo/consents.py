"""Consents for the story: the table has none, so they are generated, labelled, and the same in every run."""

import json
from datetime import UTC, datetime

from consent.fhir.generator import GeneratedConsents, generate_consents
from consortium.demo.hospitals import Hospital, rows_of, training_rows

SEED = 1991
DATA_SET = "cardiac-procedures-1991"
SCHEMA = {
    "columns": [
        {"name": "procedure", "kind": "binary"},
        {"name": "sex", "kind": "binary"},
        {"name": "age75", "kind": "binary"},
        {"name": "admit", "kind": "binary"},
        {"name": "los", "kind": "numeric", "unit": "d"},
    ]
}


def consents_of(hospital: Hospital) -> GeneratedConsents:
    """One R4 Consent for every patient: most permit research on health or disease."""
    made_for = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return generate_consents([row["record"] for row in rows_of(hospital)], seed=SEED, made_for=made_for)


def as_ndjson(consents: GeneratedConsents) -> str:
    return "".join(json.dumps(resource) + "\n" for resource in consents.resources)


def as_csv(hospital: Hospital) -> str:
    """The hospital's data set; a quarter of its patients is kept back for the referee's comparison."""
    rows = training_rows(hospital)
    lines = [",".join(rows[0]), *(",".join(row.values()) for row in rows)]
    return "\n".join(lines) + "\n"


def data_set_description(table: str) -> dict[str, object]:
    return {"name": DATA_SET, "schema": SCHEMA, "purposes": ["DUO:0000006"], "conditions": [], "rows": table}
