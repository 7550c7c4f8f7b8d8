"""Data-set files, TOML and JSON: read strictly, refused by name."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.data.description import Description, read_description
from consortium.kernel.errors import InvalidInputError
from tests.unit.agent_data.tables import TOML
from training.federated.column_features import feature_of
from training.federated.errors import PlanFormatError


def read(folder: Path, text: str, name: str = "stays.toml") -> Description:
    path = folder / name
    path.write_text(text)
    return read_description(path)


def test_a_toml_file_says_what_columns_mean_and_how_the_table_is_read(tmp_path: Path) -> None:
    found = read(tmp_path, TOML)

    assert (found.name, found.subject, found.target) == ("stays", "patient", "died")
    assert found.rows == tmp_path / "TABLE"
    assert found.missing_values == ("", "NA")
    age = {"name": "age", "kind": "numeric", "minimum": 0, "maximum": 120, "missing": "mean"}
    assert found.columns[0] == {**age, "unit": "a"}
    assert feature_of(found.columns[0]) == age


def test_the_first_form_of_json_is_read_as_ever(tmp_path: Path) -> None:
    columns = [{"name": "sex", "kind": "binary"}, {"name": "los", "kind": "numeric", "unit": "d"}]
    value = {"name": "stays", "schema": {"columns": columns}, "purposes": ["DUO:0000042"], "conditions": []}

    found = read(tmp_path, json.dumps({**value, "rows": "stays.csv"}), "stays.json")

    assert found.schema == {"columns": columns}
    assert (found.subject, found.target, found.missing_values) == ("record", "", ("",))


def test_how_the_site_reads_its_own_table_is_not_in_the_schema(tmp_path: Path) -> None:
    shown = json.dumps(read(tmp_path, TOML).schema)

    assert not [word for word in ("patient", "NA", "TABLE", "stays") if word in shown]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('name = "stays"', "", "name: a data-set file has"),
        ('name = "stays"', 'name = "stays"\nsurprise = 1', "surprise: a data-set file has"),
        ('name = "stays"', "name = 3", "name is text"),
        ('purposes = ["DUO:0000006"]', 'purposes = "DUO:0000006"', "purposes is a list"),
        ('subject = "patient"', 'subject = "age"', "subject names"),
        ('target = "died"', 'target = "dead"', "target is one of"),
        ('missing_values = ["", "NA"]', "missing_values = [99]", "missing_values is a list"),
        ("maximum = 120", "", r"columns\[0\]: a numeric column has minimum and maximum"),
        ("maximum = 120", "maximum = -1", r"columns\[0\]: a numeric column has minimum and maximum"),
        ('missing = "mean"', 'missing = "category"', "missing of age is one of"),
        ('missing = "category"', 'missing = {value = "west"}', "missing of ward is no value"),
        ('kind = "binary"', 'kind = "binary"\nmissing = "mean"', "missing of sex is one of"),
        ('kind = "binary"', 'kind = "date"', "a kind"),
        ('categories = ["north", "south"]', "", "categories"),
        ("minimum = 0\nmaximum = 120", "", "Column age needs minimum and maximum"),
        ("[[columns]]", "[[columns", "no readable TOML"),
    ],
)
def test_a_file_outside_its_form_is_refused_by_name(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words) as refusal:
        read(tmp_path, TOML.replace(old, new, 1))
    assert "stays.toml" in refusal.value.message


@pytest.mark.parametrize("value", [[], {"name": "x"}, {"columns": [], "schema": {"columns": []}}, {"columns": ["age"]}])
def test_json_that_describes_nothing_is_refused(tmp_path: Path, value: Any) -> None:
    with pytest.raises(InvalidInputError, match=r"x\.json"):
        read(tmp_path, json.dumps(value), "x.json")


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot be read"):
        read_description(tmp_path / "none.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidInputError, match="no readable TOML"):
        read_description(tmp_path / "bytes.toml")


def test_a_number_without_bounds_can_be_described_but_not_planned_with(tmp_path: Path) -> None:
    found = read(tmp_path, TOML.replace("minimum = 0\nmaximum = 120\n", "").replace('missing = "mean"\n', ""))

    with pytest.raises(PlanFormatError, match="Column age needs minimum and maximum"):
        feature_of(found.columns[0])
