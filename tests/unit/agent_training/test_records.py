"""The one door to the member's records: strict tables, tokens that open once, and never a value in a message."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.errors import JobRefusedError
from agent.folder import SiteFolder
from agent.journal import Journal
from agent.training.records import RecordDoor, Table, Ticket
from tests.unit.agent_training.worlds import PATIENTS, make_plan, write_records
from tests.unit.federated.plans import make_rows
from training.federated.errors import RowFormatError

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
