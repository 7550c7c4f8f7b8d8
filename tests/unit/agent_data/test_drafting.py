"""A drafted data-set file reads, keeps its table, and marks what a person has to decide."""

import tomllib
from pathlib import Path
from typing import Any

import pytest

from agent.data.checking import check_table
from agent.data.description import read_description
from agent.data.drafting import DECIDE, draft_description
from tests.unit.agent_data.tables import ROWS, write_csv, write_parquet
from training.federated.errors import RowFormatError


def drafted(path: Path, **names: str) -> tuple[str, dict[str, dict[str, Any]]]:
    text = draft_description(path, **names)
    return text, {column["name"]: column for column in tomllib.loads(text)["columns"]}


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_draft_is_a_data_set_file_that_its_table_keeps_to(tmp_path: Path, ending: str) -> None:
    rows = [
        {**row, "patient": f"p{i}-{j}", "age": (row["age"] or 40) + j} for j in range(20) for i, row in enumerate(ROWS)
    ]
    write = write_parquet if ending == "parquet" else write_csv
    path = write(tmp_path / f"stays.{ending}", rows)

    text, columns = drafted(path, subject="patient", target="died")

    (tmp_path / "stays.toml").write_text(text)
    description = read_description(tmp_path / "stays.toml")
    assert check_table(description).is_sound
    assert (description.subject, description.target) == ("patient", "died")
    assert {name: column["kind"] for name, column in columns.items()} == {
        "age": "numeric",
        "ward": "categorical",
        "sex": "binary",
        "died": "binary",
    }
    assert (columns["age"]["minimum"], columns["age"]["maximum"]) == (40, 100)
    assert columns["ward"]["missing"] == "category"
    assert text.count(DECIDE) >= 5


def test_the_extremes_of_a_table_are_rounded_away(tmp_path: Path) -> None:
    rows = [{"id": f"p{i}", "x": value} for i, value in enumerate((-0.0371, 2.5, 0.0, 94.3))]

    text, columns = drafted(write_csv(tmp_path / "t.csv", rows))

    assert (columns["x"]["minimum"], columns["x"]["maximum"]) == (-0.04, 100)
    assert "94.3" not in text
    assert "0371" not in text


def test_texts_that_mean_missing_are_listed_for_a_person_to_confirm(tmp_path: Path) -> None:
    rows = [{"id": i, "x": value} for i, value in enumerate(("1.5", "NA", "?", "7.25"))]

    text, columns = drafted(write_csv(tmp_path / "t.csv", rows))

    assert tomllib.loads(text)["missing_values"] == ["", "?", "NA"]
    assert columns["x"]["missing"] == "mean"


def test_names_free_text_and_constants_are_left_out_and_it_is_said(tmp_path: Path) -> None:
    rows = [{"id": i, "": i, "note": f"note {i}", "unit": "d", "x": i % 7} for i in range(60)]

    text, columns = drafted(write_csv(tmp_path / "t.csv", rows))

    assert set(columns) == {"x"}
    assert 'Column "note" is left out: it has more than 50 different texts' in text
    assert 'Column "unit" is left out: it has one value only' in text
    assert 'Column "" is left out: a name is' in text
    assert "note 17" not in text
    assert "7 codes?" in text


def test_a_table_of_one_column_or_without_the_named_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RowFormatError, match="commas between"):
        draft_description(write_csv(tmp_path / "t.csv", [{"a;b": "1;2"}]))
    with pytest.raises(RowFormatError, match=r"no column died\. It has: a, b"):
        draft_description(write_csv(tmp_path / "t.csv", [{"a": 1, "b": 2}]), target="died")
