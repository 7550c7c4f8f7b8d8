"""The one door to the member's records: strict tables, tokens that open once, and never a value in a message."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.errors import JobRefusedError
from agent.folder import SiteFolder
from agent.journal import Journal
from agent.training.records import RecordDoor, Table, Ticket
from tests.unit.agent.worlds import CONSORTIUM
from tests.unit.agent_data.tables import write_csv, write_parquet
from tests.unit.agent_training.worlds import PATIENTS, make_plan, write_records
from tests.unit.federated.plans import make_rows
from tests.unit.training.plans import plan_document
from training.federated.errors import RowFormatError
from training.federated.plan_document import PlanDocument

TICKET = Ticket("11111111-1111-4111-8111-111111111111", 1, 1, "sha256:" + "aa" * 32)


@pytest.fixture
def door(tmp_path: Path) -> Iterator[RecordDoor]:
    write_records(tmp_path, 0)
    journal = Journal(tmp_path / "journal.sqlite")
    journal.record("data_set", "registered", name="stays")
    yield RecordDoor(SiteFolder(tmp_path), journal)
    journal.close()


def _table(door: RecordDoor) -> Table:
    return door.table_for(make_plan())


def _spoil(tmp_path: Path, old: str, new: str) -> None:
    path = tmp_path / "data/stays.csv"
    path.write_text(path.read_text().replace(old, new, 1))


def test_a_table_gives_the_rows_of_the_named_records_as_the_plan_reads_them(door: RecordDoor) -> None:
    table = _table(door)

    assert table.rows_of({"patient-3", "patient-1", "nobody"}) == [make_rows(PATIENTS, seed=0)[i] for i in (1, 3)]
    assert table.records == {f"patient-{i}" for i in range(PATIENTS)}


def test_a_token_opens_once(door: RecordDoor) -> None:
    token = door.issue(TICKET, _table(door), {"patient-1"})

    assert len(door.redeem(token, TICKET)) == 1
    with pytest.raises(JobRefusedError):
        door.redeem(token, TICKET)

    entries = door._journal.entries(kinds=("records",))
    assert [(entry.outcome, entry.detail.get("rows")) for entry in entries] == [("refused", None), ("read", 1)]


@pytest.mark.parametrize(
    "other",
    [
        Ticket(TICKET.run, 2, 1, TICKET.function),
        Ticket(TICKET.run, 1, 2, TICKET.function),
        Ticket(TICKET.run, 1, 1, "sha256:" + "bb" * 32),
        Ticket("22222222-2222-4222-8222-222222222222", 1, 1, TICKET.function),
    ],
)
def test_a_token_for_something_else_opens_nothing_and_keeps_its_own_use(door: RecordDoor, other: Ticket) -> None:
    token = door.issue(TICKET, _table(door), {"patient-1"})

    with pytest.raises(JobRefusedError) as refused:
        door.redeem(token, other)

    assert refused.value.reason == "token_refused"
    assert len(door.redeem(token, TICKET)) == 1


def test_a_new_token_makes_the_old_one_worthless(door: RecordDoor) -> None:
    old = door.issue(TICKET, _table(door), {"patient-1"})
    door.issue(TICKET, _table(door), {"patient-1"})

    with pytest.raises(JobRefusedError):
        door.redeem(old, TICKET)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("bypass", "surgery of John"),
        (",1,", ",2,"),
        ("patient-0", ""),
        ("record", "patient"),
        ("days", "nights"),
        (",12\n", ",nan\n"),
        (",12\n", ",12,13\n"),
        ("sex", "age"),
    ],
)
def test_a_table_that_does_not_keep_to_its_schema_is_refused_and_its_values_are_not_told(
    door: RecordDoor, tmp_path: Path, old: str, new: str
) -> None:
    (tmp_path / "data/stays.csv").write_text((tmp_path / "data/stays.csv").read_text().replace("\r\n", "\n"))
    _spoil(tmp_path, old, new)

    with pytest.raises(RowFormatError) as refused:
        _table(door)

    assert "John" not in refused.value.message
    assert "nan" not in refused.value.message


def test_a_table_that_changed_is_read_anew(door: RecordDoor, tmp_path: Path) -> None:
    before = _table(door)
    _spoil(tmp_path, "patient-0,", "patient-1000,")

    assert _table(door) is not before
    assert "patient-1000" in _table(door).records


def test_a_data_set_that_was_never_registered_is_not_trained_on(tmp_path: Path, door: RecordDoor) -> None:
    (tmp_path / "other").mkdir()
    journal = Journal(tmp_path / "other/journal.sqlite")

    with pytest.raises(JobRefusedError) as refused:
        RecordDoor(SiteFolder(tmp_path), journal).table_for(make_plan())

    journal.close()
    assert refused.value.reason == "local_rule"


def test_a_condition_of_the_data_set_that_the_plan_does_not_keep_refuses_it(door: RecordDoor, tmp_path: Path) -> None:
    path = tmp_path / "data/stays.json"
    path.write_text(path.read_text().replace('"conditions": []', '"conditions": ["DUO:0000046"]'))

    with pytest.raises(JobRefusedError):
        _table(door)

    assert door.table_for(make_plan(conditions=["DUO:0000046"])).records


AGE = {"name": "age", "kind": "numeric", "minimum": 0, "maximum": 130, "missing": "mean"}


def _plan(**changes: Any) -> PlanDocument:
    training = {**plan_document()["training"], "features": [{"name": "sex", "kind": "binary"}, AGE], **changes}
    return make_plan(training=training)


def _blank(tmp_path: Path, record: str, column: str) -> None:
    path = tmp_path / "data/stays.csv"
    rows = list(csv.DictReader(path.read_text().splitlines()))
    write_csv(path, [{**row, column: ""} if row["record"] == record else row for row in rows])


def test_a_missing_value_is_none_where_the_plan_has_a_rule_and_refused_elsewhere(
    door: RecordDoor, tmp_path: Path
) -> None:
    _blank(tmp_path, "patient-3", "age")

    (row,) = door.table_for(_plan()).rows_of({"patient-3"})
    assert row["age"] is None
    with pytest.raises(RowFormatError, match="Column age is missing, which the plan refuses, in line 5"):
        _table(door)


def test_a_text_that_means_missing_is_never_read_as_a_number(door: RecordDoor, tmp_path: Path) -> None:
    path = tmp_path / "data/stays.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "missing_values": ["", "999"]}))
    _spoil(tmp_path, ",12\n", ",999\n")

    assert door.table_for(_plan()).without_target == 1
    _blank(tmp_path, "patient-3", "age")
    (tmp_path / "data/stays.csv").write_text((tmp_path / "data/stays.csv").read_text().replace(",,", ",999,"))
    with pytest.raises(RowFormatError, match="Column age is missing"):
        _table(door)


def test_rows_without_what_the_plan_learns_are_left_out_and_counted(door: RecordDoor, tmp_path: Path) -> None:
    _blank(tmp_path, "patient-3", "days")

    table = _table(door)

    assert "patient-3" not in table.records
    assert table.without_target == 1
    door.redeem(door.issue(TICKET, table, {"patient-1"}), TICKET)
    assert door._journal.entries(kinds=("records",))[0].detail["without_target"] == 1


def test_a_value_outside_the_plans_bounds_is_refused_by_line_and_bound(door: RecordDoor) -> None:
    with pytest.raises(RowFormatError, match=r"Column age is above the maximum of 10 in line \d+; mend"):
        door.table_for(_plan(features=[{**AGE, "maximum": 10}]))
    assert door.table_for(_plan(features=[{**AGE, "maximum": 10, "outside": "clip"}])).records


def test_a_registration_in_one_consortium_serves_no_other(tmp_path: Path) -> None:
    write_records(tmp_path, 0)
    journal = Journal(tmp_path / "journal.sqlite")
    door = RecordDoor(SiteFolder(tmp_path), journal)

    journal.record("data_set", "registered", name="stays", consortium="0d0d0d0d-0000-4000-8000-00000000ffff")
    with pytest.raises(JobRefusedError) as refused:
        _table(door)
    journal.record("data_set", "registered", name="stays", consortium=str(CONSORTIUM))

    assert refused.value.reason == "local_rule"
    assert _table(door).records
    journal.close()


def test_parquet_and_a_description_in_toml_give_the_same_rows(door: RecordDoor, tmp_path: Path) -> None:
    from_csv = _table(door)
    rows = [{"subject": f"patient-{i}", **row} for i, row in enumerate(make_rows(PATIENTS, seed=0))]
    write_parquet(tmp_path / "data/stays.parquet", rows)
    (tmp_path / "data/stays.json").unlink()
    (tmp_path / "data/stays.toml").write_text(
        'name = "stays"\nrows = "stays.parquet"\nsubject = "subject"\npurposes = ["DUO:0000042"]\n'
        'columns = [{name = "procedure", kind = "categorical", categories = ["angioplasty", "bypass", "none"]},\n'
        '  {name = "sex", kind = "binary"}, {name = "age", kind = "numeric"}, {name = "days", kind = "numeric"}]\n'
    )

    assert _table(door) == from_csv


def test_a_file_that_describes_nothing_keeps_no_other_data_set_back(door: RecordDoor, tmp_path: Path) -> None:
    (tmp_path / "data/a-draft.toml").write_text("name = ")

    assert _table(door).records
    (tmp_path / "data/stays.json").unlink()
    with pytest.raises(JobRefusedError, match=r"no data-set files: a-draft\.toml"):
        _table(door)


def test_a_target_can_be_a_category_that_the_site_lists(door: RecordDoor) -> None:
    features, target = [AGE], {"name": "procedure", "kind": "categorical", "equals": "bypass"}

    assert door.table_for(_plan(features=features, target=target)).rows_of({"patient-1"})[0]["procedure"]
    with pytest.raises(RowFormatError, match="does not list"):
        door.table_for(_plan(features=features, target={**target, "equals": "surgery"}))
