"""`consilium-site data-set`: what is printed, and the exit status."""

from pathlib import Path

import pytest

from agent.cli import main
from tests.unit.agent_data.tables import ROWS, write_csv, write_data_set

Captured = pytest.CaptureFixture[str]


def test_a_description_is_drafted_without_a_site(tmp_path: Path, capsys: Captured) -> None:
    table = write_csv(tmp_path / "stays.csv", ROWS)

    assert main(["data-set", "describe", str(table), "--subject", "patient", "--target", "died"]) == 0
    assert 'target = "died"' in capsys.readouterr().out
    assert main(["data-set", "describe", str(table), "--target", "dead"]) == 1
    assert "The table has no column dead" in capsys.readouterr().err


def test_a_check_counts_what_is_there(tmp_path: Path, capsys: Captured) -> None:
    assert main(["data-set", "check", str(write_data_set(tmp_path, ROWS))]) == 0

    assert capsys.readouterr().out.splitlines() == [
        "stays: 4 rows of 3 subjects",
        "1 rows lack age",
        "1 rows lack died and are left out of training",
        "1 rows lack ward",
        "The table keeps to its description.",
    ]


def test_a_check_with_problems_exits_with_1_and_names_them(tmp_path: Path, capsys: Captured) -> None:
    path = write_data_set(tmp_path, [{**ROWS[0], "ward": "west"}])

    assert main(["data-set", "check", str(path)]) == 1
    said = capsys.readouterr().out
    assert "line 2, column ward: is none of the categories" in said
    assert "1 problems." in said
    assert "west" not in said
