"""Programs that end by themselves: started again, given up, or left alone because somebody stopped them."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from consortium.embedded.accounts import Account
from consortium.embedded.chain_state import ChainState
from consortium.embedded.errors import ChainStateLostError
from consortium.embedded.keeper import MAX_ENDS_IN_A_ROW, Keeper
from consortium.embedded.tied import TiedProcess

pytestmark = pytest.mark.services
NEEDS_A_PERSON = 3
SLEEP = "import time; time.sleep(600)"
WITH_A_CHILD = f"""
import subprocess, sys, time
print(subprocess.Popen([sys.executable, "-c", "{SLEEP}"]).pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def keeper(tmp_path: Path) -> Iterator[Keeper]:
    keeper = Keeper(tmp_path / "supervisor.log", first_pause_seconds=0.01)
    yield keeper
    keeper.close()


@pytest.fixture
def program(tmp_path: Path, keeper: Keeper) -> Iterator[Callable[[str], TiedProcess]]:
    """`program(text)` starts a Python program, not kept yet."""
    started = []

    def start(text: str) -> TiedProcess:
        process = TiedProcess("program", [sys.executable, "-c", text], tmp_path / "program.log", dict(os.environ))
        started.append(process.start())
        return process

    yield start
    keeper.rest()
    for process in started:
        process.stop()


def wait_until(ready: Callable[[], object], seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it did not come to pass in time"
        time.sleep(0.02)


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_program_is_started_again_and_the_log_says_so(keeper, program):
    process = program(SLEEP)
    keeper.keep(process)
    before = process.pid

    process.kill()

    wait_until(lambda: process.is_running() and process.pid != before)
    said = keeper.log.read_text()
    assert "program was ended by signal 9; it is started again in 0.01 s." in said
    assert f"program is started again as process {process.pid}." in said
    assert keeper.looks_after(process)


def test_what_a_killed_program_had_started_does_not_work_on_beside_its_successor(keeper, program):
    process = program(WITH_A_CHILD)
    wait_until(lambda: process.log.read_text().strip())
    child = int(process.log.read_text())
    keeper.keep(process)

    os.kill(process.pid, signal.SIGKILL)

    wait_until(lambda: not is_alive(child))
    wait_until(lambda: len(process.log.read_text().split()) == 2)


def test_a_program_that_asks_for_a_person_is_left_for_one(keeper, program):
    process = program(f"raise SystemExit({NEEDS_A_PERSON})")
    keeper.keep(process, final=frozenset({NEEDS_A_PERSON}))

    wait_until(lambda: not keeper.looks_after(process))

    assert "program ended with status 3 and is not started again." in keeper.log.read_text()
    assert not process.is_running()


def test_a_program_that_ends_again_and_again_is_given_up(keeper, program):
    process = program("raise SystemExit(1)")
    keeper.keep(process)

    wait_until(lambda: not keeper.looks_after(process))

    lines = keeper.log.read_text().splitlines()
    pauses = [line.rpartition(" in ")[2] for line in lines if "is started again in" in line]
    assert pauses == ["0.01 s.", "0.02 s.", "0.04 s.", "0.08 s.", "0.16 s."]
    assert sum("ended with status 1" in line for line in lines) == MAX_ENDS_IN_A_ROW
    assert not process.is_running()


def test_a_program_that_was_stopped_stays_so(keeper, program):
    stopped, killed = program(SLEEP), program(SLEEP)
    for process in (stopped, killed):
        keeper.keep(process)

    stopped.stop()
    killed.kill()

    wait_until(killed.is_running)
    assert not stopped.is_running()


def test_nothing_is_started_once_the_keeper_rests(keeper, program):
    process = program(SLEEP)
    keeper.keep(process)
    keeper.rest()

    process.kill()
    keeper.close()

    assert not process.is_running()
    assert not keeper.log.exists()


WHOLE = '{"block":1,"historical_states":null}'


@pytest.fixture
def state(tmp_path: Path) -> ChainState:
    return ChainState(tmp_path, Account())


def test_a_half_written_state_of_the_chain_is_replaced_by_the_last_whole_one(state):
    state.file.write_text(WHOLE)
    state.keep_copy()
    state.file.write_text(WHOLE[:-5])

    state.mend()

    assert state.file.read_text() == WHOLE


def test_a_half_written_state_is_never_copied(state):
    state.file.write_text(WHOLE)
    state.keep_copy()
    state.file.write_text(WHOLE[:-5])

    ChainState(state.folder, Account()).keep_copy()

    assert state.copy.read_text() == WHOLE


def test_a_whole_state_is_kept_as_it_is(state):
    state.file.write_text(WHOLE)
    state.keep_copy()
    state.file.write_text(WHOLE.replace("1", "2"))

    state.mend()

    assert state.file.read_text() == WHOLE.replace("1", "2")


def test_without_a_whole_copy_the_remedy_is_named_and_nothing_is_changed(state):
    state.mend()
    assert not state.file.exists()
    state.file.write_text(WHOLE[:-5])

    with pytest.raises(ChainStateLostError, match="--fresh"):
        state.mend()

    assert state.file.read_text() == WHOLE[:-5]
