"""The example tables of the guide: the same in every run, with gaps of ours and consents that say what they are."""

import json
from pathlib import Path

from consent.fhir.consent_csv import read_consent_csv
from consent.fhir.generator import is_generated
from consent.fhir.reader import ParsedConsent
from consortium.demo.medpar import GAPS, HOSPITALS, rows_of, write_tables


def test_three_hospitals_share_the_tables_rows_and_blank_some_values() -> None:
    rows = [row for hospital in HOSPITALS for row in rows_of(hospital)]

    assert len(rows) == len({row["stay"] for row in rows}) == 1495
    missing = {name for row in rows for name, value in row.items() if value is None}
    assert missing == set(GAPS)
    assert 60 < sum(row["los"] is None for row in rows) < 130
    assert [rows_of(hospital) for hospital in HOSPITALS] == [rows_of(hospital) for hospital in HOSPITALS]


def test_consents_come_as_fhir_and_as_tables_and_are_labelled(tmp_path: Path) -> None:
    write_tables(tmp_path)

    resources = [json.loads(line) for line in (tmp_path / "north/consents.ndjson").read_text().splitlines()]
    assert len(resources) == len(rows_of("north"))
    assert all(map(is_generated, resources))
    with (tmp_path / "east/consents.csv").open("rb") as file:
        found = [result for _number, result in read_consent_csv(file)]
    parsed = [one for one in found if isinstance(one, ParsedConsent)]
    assert len(parsed) == len(found) > 500
    assert {one.grant.text_version for one in parsed} == {"urn:consilium:consent-text:generated-for-demonstration"}
    assert (tmp_path / "south/stays.parquet").exists()
