"""A table held to its description: problems by line and column, and never a value of the table."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from agent.data import tables
from agent.data.checking import PROBLEMS_SHOWN, check_table
from agent.data.description import read_description
from agent.data.tables import open_table
from consortium.embedded.layout import project_root
from consortium.kernel.errors import InvalidInputError
from tests.unit.agent_data.tables import ROWS, write_csv, write_data_set, write_parquet
from training.federated.errors import RowFormatError


def problems_of(folder: Path, **changes: Any) -> list[str]:
    rows = [{**ROWS[0]}, {**ROWS[1], **changes}]
    return check_table(read_description(write_data_set(folder, rows))).problems


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_sound_table_is_counted(tmp_path: Path, ending: str) -> None:
    found = check_table(read_description(write_data_set(tmp_path, ROWS, ending=ending)))

    assert found.is_sound
    assert (found.rows, found.subjects, found.without_target) == (4, 3, 1)
    assert found.missing == {"age": 1, "ward": 1, "died": 1}


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"age": 135.25}, "line 3, column age: is above the maximum of 120"),
        ({"age": -135.25}, "line 3, column age: is below the minimum of 0"),
        ({"age": "135.25 years"}, "line 3, column age: is no number"),
        ({"age": "inf"}, "line 3, column age: is no number"),
        ({"ward": "west"}, "line 3, column ward: is none of the categories"),
        ({"sex": 135.25}, "line 3, column sex: is neither 0 nor 1"),
        ({"patient": ""}, "line 3: patient names no subject"),
    ],
)
def test_a_problem_is_named_by_line_and_column_without_the_value(
    tmp_path: Path, changes: dict[str, Any], problem: str
) -> None:
    assert problems_of(tmp_path, **changes) == [problem]


def test_a_text_that_means_missing_is_no_problem(tmp_path: Path) -> None:
    assert problems_of(tmp_path, age="NA", ward="NA") == []


def test_values_that_a_plan_moves_to_the_bound_are_no_problem(tmp_path: Path) -> None:
    path = write_data_set(tmp_path, [{**ROWS[0], "age": 500}])
    path.write_text(path.read_text().replace('unit = "a"', 'unit = "a"\noutside = "clip"'))

    assert check_table(read_description(path)).is_sound


def test_the_first_problems_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    description = read_description(write_data_set(tmp_path, [{**ROWS[0], "age": 999}] * 80))

    found = check_table(description)

    assert (len(found.problems), found.problem_count) == (PROBLEMS_SHOWN, 80)
    with pytest.raises(InvalidInputError, match=r"80 values of stays\.csv (.|\n)*and 30 more"):
        found.require_sound(description)


def test_a_line_of_another_width_ends_the_reading_by_its_number(tmp_path: Path) -> None:
    path = write_data_set(tmp_path, ROWS[:2])
    table = tmp_path / "stays.csv"
    table.write_text(table.read_text() + "p9,1\n")

    assert check_table(read_description(path)).problems == [
        "Line 4 has another number of fields than the table's header."
    ]


def test_a_byte_order_mark_and_blank_lines_are_passed_over(tmp_path: Path) -> None:
    path = write_data_set(tmp_path, ROWS)
    table = tmp_path / "stays.csv"
    table.write_text("\ufeff" + table.read_text() + "\n\n")

    assert check_table(read_description(path)).rows == 4


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'patient,age\n"p1,3'])
def test_what_is_no_csv_is_refused(tmp_path: Path, content: bytes) -> None:
    path = write_data_set(tmp_path, ROWS)
    (tmp_path / "stays.csv").write_bytes(content)

    with pytest.raises(RowFormatError):
        check_table(read_description(path))


def test_parquet_gives_the_same_cells_as_csv_in_their_own_types(tmp_path: Path) -> None:
    rows: list[dict[str, Any]] = [
        {"id": 7, "x": 1.5, "flag": True, "word": "a"},
        {"id": None, "x": None, "flag": None, "word": None},
    ]

    with open_table(write_parquet(tmp_path / "t.parquet", rows)) as table:
        assert table.header == ("id", "x", "flag", "word")
        assert list(table.rows) == [("row 1", (7, 1.5, True, "a")), ("row 2", (None, None, None, None))]


def test_only_the_columns_that_are_needed_are_read_of_parquet(tmp_path: Path) -> None:
    path = write_parquet(tmp_path / "t.parquet", [{"id": "a", "x": 1, "at": {"nested": 1}}])

    with open_table(path, ["x", "id"]) as table:
        assert dict(zip(table.header, next(table.rows)[1], strict=True)) == {"id": "a", "x": 1}
    with pytest.raises(RowFormatError, match="Column at of the table is neither"), open_table(path):
        pass


def test_texts_in_a_dictionary_are_texts(tmp_path: Path) -> None:
    table = pyarrow.table({"ward": pyarrow.array(["n", "s", "n"]).dictionary_encode()})
    pyarrow.parquet.write_table(table, tmp_path / "t.parquet")

    with open_table(tmp_path / "t.parquet") as opened:
        assert [cells for _place, cells in opened.rows] == [("n",), ("s",), ("n",)]


def test_broken_parquet_is_refused(tmp_path: Path) -> None:
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and nothing else PAR1")

    with (
        pytest.raises(RowFormatError, match="not a readable Parquet"),
        open_table(tmp_path / "t.parquet"),
    ):
        pass


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_a_table_that_is_too_large_or_lacks_a_column_is_refused(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = write_parquet if ending == "parquet" else write_csv
    path = write(tmp_path / f"t.{ending}", [{"x": f"text {i}", "y": 1} for i in range(2000)])

    with pytest.raises(RowFormatError, match=r"lacks columns \(z\)"), open_table(path, ["x", "z"]):
        pass
    monkeypatch.setattr(tables, "MAX_TABLE_BYTES", 10_000)
    with pytest.raises(RowFormatError, match="at most 10000 bytes"), open_table(path):
        pass


def test_without_pyarrow_parquet_is_refused_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_parquet(tmp_path / "t.parquet", [{"x": 1}])
    monkeypatch.setitem(sys.modules, "pyarrow", None)

    with pytest.raises(RowFormatError, match=r"consilium\[parquet\]"), open_table(path):
        pass


def test_pyarrow_is_not_loaded_unless_parquet_is_read(tmp_path: Path) -> None:
    path = write_data_set(tmp_path, ROWS)
    program = (
        "import sys; from pathlib import Path; import agent.data.cli, agent.training.records;"
        "from agent.data.checking import check_table; from agent.data.description import read_description;"
        f"check_table(read_description(Path({str(path)!r}))); print('pyarrow' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=project_root())

    assert done.stdout.strip() == "False", done.stderr[-800:]
