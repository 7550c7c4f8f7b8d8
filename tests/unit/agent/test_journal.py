import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from agent.errors import AlreadyDecidedError, JobRefusedError, JournalError, PersonRefusedError, PolicyRefusedError
from agent.journal import START, Journal
from agent.letters import LANDING_SECONDS, Letter, Letters
from agent.people import Person, Role
from agent.site import Site
from tests.unit.agent.worlds import ADDRESSES, CONSORTIUM, SettableClock

_WRITER = """
import sys
from pathlib import Path
from agent.journal import Journal
journal = Journal(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    journal.decide(f"ballot:{number}", "yes", kind="ballot")
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal.sqlite")


def test_entries_form_a_chain_from_the_start(journal: Journal) -> None:
    first = journal.record("site", "made")
    second = journal.record("signature", "signed", digest="0x01", person="vera", primary="Ballot")

    assert (first.previous, second.previous) == (START, first.hash)
    assert journal.verify() == 2
    assert journal.entries()[0] == second
    assert journal.entries(kinds=("site",)) == [first]
    assert journal.entries(before=2) == [first]


def test_entry_is_neither_changed_nor_deleted_by_sql(journal: Journal) -> None:
    entry = journal.record("site", "made")

    for statement in ("UPDATE entries SET person = 'x'", "DELETE FROM entries"):
        with pytest.raises(sqlite3.IntegrityError, match="never"):
            journal._connection.execute(statement)

    assert journal.entries() == [entry]


@pytest.mark.parametrize(
    "damage",
    ["UPDATE entries SET outcome = 'x' WHERE position = 2", "DELETE FROM entries WHERE position = 2"],
)
def test_entry_changed_behind_the_programs_back_is_named(journal: Journal, damage: str) -> None:
    for outcome in ("one", "two", "three"):
        journal.record("test", outcome)
    journal._connection.executescript(
        "DROP TRIGGER entries_are_never_changed; DROP TRIGGER entries_are_never_deleted;" + damage
    )

    with pytest.raises(JournalError, match=r"Entry [23] of the journal"):
        journal.verify()


def test_decision_is_given_once_and_the_other_attempt_is_written_down(journal: Journal) -> None:
    assert journal.decide("ballot:1", "yes", kind="ballot", person="vera")
    assert not journal.decide("ballot:1", "yes", kind="ballot", person="vera")

    with pytest.raises(AlreadyDecidedError, match="decided yes before"):
        journal.decide("ballot:1", "no", kind="ballot", person="otto")

    assert journal.decision("ballot:1") == "yes"
    assert [(entry.outcome, entry.person) for entry in journal.entries()] == [("refused", "otto"), ("decided", "vera")]


def test_failed_block_leaves_nothing(journal: Journal) -> None:
    def fail() -> None:
        with journal.transaction():
            journal.record("test", "inside")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert journal.entries() == []


def test_killed_writer_leaves_every_decision_it_reported_and_a_whole_chain(tmp_path: Path) -> None:
    path = tmp_path / "journal.sqlite"
    with subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        for _ in range(20):
            reported = int(writer.stdout.readline())
        writer.kill()

    journal = Journal(path)

    assert journal.verify() >= reported
    assert all(journal.decision(f"ballot:{number}") == "yes" for number in range(1, reported + 1))
    assert journal._connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert journal._connection.execute("PRAGMA synchronous").fetchone() == (2,)
    assert journal._connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_two_programs_share_the_journal(tmp_path: Path) -> None:
    one, other = Journal(tmp_path / "j.sqlite"), Journal(tmp_path / "j.sqlite")

    one.record("test", "one")
    other.record("test", "other")
    one.record("test", "one again")

    assert one.verify() == other.verify() == 3


def test_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / "j.sqlite").write_bytes(b"not a database" * 100)

    with pytest.raises(JournalError, match="not this program's journal"):
        Journal(tmp_path / "j.sqlite")


def _letter(nonce: int, state: str = "signed") -> Letter:
    return Letter(f"0x{nonce:02x}", f"ballot:{nonce}", "governor:voter", nonce, "/p", {"choice": "yes"}, state)


def test_letters_wait_until_settled_and_keep_their_bytes(journal: Journal) -> None:
    letters = Letters(journal)
    letters.keep(_letter(4))
    letters.keep(_letter(4))
    letters.keep(_letter(5))

    letters.settle(_letter(4), "sent")

    assert letters.waiting() == [_letter(5)]
    assert letters.of_decision("ballot:4") == [_letter(4, "sent")]


def test_numbers_go_on_behind_letters_on_their_way_until_these_are_lost(tmp_path: Path) -> None:
    clock = SettableClock()
    letters = Letters(Journal(tmp_path / "j.sqlite"), clock=clock)
    letters.keep(_letter(4))
    letters.settle(_letter(4), "sent")

    assert letters.next_nonce("governor:voter", 4) == 5
    assert letters.next_nonce("governor:voter", 9) == 9
    assert letters.next_nonce("another", 4) == 4

    clock.pass_seconds(LANDING_SECONDS + 1)
    assert letters.next_nonce("governor:voter", 4) == 4


def test_other_addresses_than_the_pinned_ones_are_refused_until_forgotten(site: Site) -> None:
    other = ADDRESSES | {"DecisionBoard": "0x" + "99" * 20}

    with pytest.raises(PolicyRefusedError, match="other contracts"):
        site.pins.pin(CONSORTIUM, other)
    assert site.pins.of(CONSORTIUM)["DecisionBoard"] == ADDRESSES["DecisionBoard"]
    assert site.journal.entries(limit=1)[0].outcome == "refused"

    site.pins.forget(CONSORTIUM)
    site.pins.pin(CONSORTIUM, other)
    assert site.pins.of(CONSORTIUM)["DecisionBoard"] == "0x" + "99" * 20


def test_lower_fence_is_refused_also_after_a_restart(site: Site) -> None:
    site.fences.admit("run", 5)
    site.fences.admit("run", 5)
    site.fences.admit("other run", 1)

    with pytest.raises(JobRefusedError) as refusal:
        site.fences.admit("run", 4)

    assert refusal.value.reason == "stale_fence"
    assert site.journal.read("SELECT fence FROM fences WHERE run = 'run'") == [(5,)]


def test_only_a_steward_throws_the_switch(site: Site) -> None:
    steward = Person("stan", "Stan", frozenset({Role.STEWARD}))
    voter = Person("vera", "Vera", frozenset({Role.VOTER}))

    with pytest.raises(PersonRefusedError):
        site.switch.stop(voter)
    assert not site.switch.is_stopped

    site.switch.stop(steward)
    assert site.switch.is_stopped
    site.switch.resume(steward)
    assert not site.switch.is_stopped
