"""The process of a plan's code: what it may use, and what it cannot reach however it tries."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.cli import main
from agent.training.confinement import RUNNER_UID, Confinement
from agent.training.errors import CodeRefusedError, RunnerError, RunnerStoppedError
from agent.training.runner_messages import warm_up_request, write_request
from agent.training.runner_process import RunnerProcess, environment
from tests.unit.agent_training import hostile
from tests.unit.federated.plans import DOCUMENT, make_plan, make_rows
from training.federated.plan_code import TrainTask, train
from training.federated.weights import dump_weights

ROWS = make_rows(40, seed=3)
COLUMNS = list(ROWS[0])
_PLAIN_USER = 61_777


@pytest.fixture
def start() -> Iterator[Callable[..., RunnerProcess]]:
    made: list[RunnerProcess] = []

    def make(function: str, **options: Any) -> RunnerProcess:
        made.append(RunnerProcess(code=f"tests.unit.agent_training.hostile:{function}", **options))
        return made[-1]

    yield make
    for process in made:
        process.close()


def _ask(process: RunnerProcess, *, seconds: float = 10.0, columns: list[str] | None = None, rows: Any = None) -> bytes:
    weights = dump_weights(np.zeros(make_plan().weight_count))
    request = write_request(DOCUMENT, weights, columns or COLUMNS, rows or ROWS)
    return process.run(request, reply_bytes=100_000, seconds=seconds, canceled=threading.Event())


def test_the_codes_answer_is_the_plain_vector_bit_for_bit(runner: RunnerProcess) -> None:
    # Which kernels the linear algebra takes depends on the environment: the runner's is its own and bare.
    script = (
        "import sys; from tests.unit.agent_training.test_runner import ROWS, expected; "
        "sys.stdout.buffer.write(expected())"
    )
    plain = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, check=True)

    assert _ask(runner) == plain.stdout


def expected() -> bytes:
    """The plain vector, computed where this is called."""
    plan = make_plan()
    return train(TrainTask(plan, dump_weights(np.zeros(plan.weight_count))), ROWS).tobytes()


def test_rows_that_do_not_fit_are_refused_without_a_word_of_them(runner: RunnerProcess) -> None:
    rows = [{**row, "procedure": "patient 17 only"} for row in ROWS]

    with pytest.raises(CodeRefusedError) as refused:
        _ask(runner, rows=rows)

    assert refused.value.reason == "row_format"
    assert "patient" not in refused.value.message


def _reach(process: RunnerProcess, victim: int, path: Path) -> list[float]:
    rows = [{"path": str(path), "process": victim}] * 3
    return list(np.frombuffer(_ask(process, columns=["path", "process"], rows=rows)))


@pytest.fixture
def victim() -> Iterator[subprocess.Popen[bytes]]:
    """A process of this user that the code is told about."""
    process = subprocess.Popen(["sleep", "60"])
    yield process
    process.kill()
    process.wait()


def test_code_reaches_no_network_no_file_no_process_and_no_environment(
    start: Callable[..., RunnerProcess], victim: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text("secret")
    key.chmod(0o644)

    inet, unix, key_file, passwd, listing, fork, kill, ptrace, environment, user = _reach(
        start("reaches_out"), victim.pid, key
    )

    assert [inet, unix, key_file, passwd, listing] == [hostile.EMFILE] * 5
    assert fork > 0
    assert kill > 0
    assert ptrace == -1
    assert victim.poll() is None
    assert environment == 0
    assert user == (RUNNER_UID if os.geteuid() == 0 else user)


def test_a_plain_users_code_is_confined_as_well(tmp_path: Path) -> None:
    """The limits stand without any right; whether namespaces do is for the machine to allow."""
    if os.geteuid() != 0:
        pytest.skip("this run is a plain user's: the test above has shown it")
    program = (
        "import json, sys, threading; from pathlib import Path\n"
        "from tests.unit.agent_training.test_runner import _reach\n"
        "from agent.training.runner_process import RunnerProcess\n"
        "process = RunnerProcess(code='tests.unit.agent_training.hostile:reaches_out')\n"
        "print(json.dumps([process.confinement().to_json(), _reach(process, 1, Path('/etc/hostname'))]))\n"
        "process.close()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        user=_PLAIN_USER,
        group=_PLAIN_USER,
        extra_groups=[],
        cwd=Path(__file__).parents[3],
        env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
    )
    if done.returncode != 0 and "Permission" in done.stderr:
        pytest.skip("another user of this machine cannot read the interpreter or the checkout")

    assert done.stderr == ""
    assert f"[{', '.join(['24.0'] * 5)}, " in done.stdout


def test_code_that_hangs_is_ended_at_its_time(start: Callable[..., RunnerProcess]) -> None:
    process = start("hangs")
    process.confinement()
    began = time.monotonic()

    with pytest.raises(RunnerStoppedError):
        _ask(process, seconds=0.5)

    assert time.monotonic() - began < 5


def test_code_that_fails_answers_too_much_or_takes_all_memory_ends_without_a_vector(
    start: Callable[..., RunnerProcess],
) -> None:
    for function in ("fails", "answers_too_much", "takes_memory"):
        with pytest.raises(RunnerError) as refused:
            _ask(start(function))
        assert "record" not in refused.value.message


def test_a_helper_that_died_is_started_again(runner: RunnerProcess) -> None:
    first = _ask(runner)
    assert runner._helper is not None
    runner._helper.kill()
    runner._helper.wait()

    assert _ask(runner) == first


def test_several_codes_run_at_a_time(runner: RunnerProcess) -> None:
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(_ask(runner))) for _ in range(4)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == 4
    assert len(set(answers)) == 1


def test_nothing_of_the_helper_outlives_an_agent_that_is_killed() -> None:
    program = (
        "import os, signal; from agent.training.runner_process import RunnerProcess\n"
        "process = RunnerProcess(); process.confinement()\n"
        "print(process._helper.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[3]
    )
    helper, deadline = Path(f"/proc/{int(done.stdout)}"), time.monotonic() + 10

    while helper.exists() and "Z" not in (helper / "stat").read_text().split()[2]:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_warm_up_needs_no_record() -> None:
    assert b"patient" not in warm_up_request()


@pytest.mark.parametrize(("apart", "status"), [(True, 0), (False, 1)])
def test_a_machine_without_the_walls_is_named_by_words_and_exit_status(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], apart: bool, status: int
) -> None:
    walls = Confinement(network=apart, files=apart, processes=apart, user=False)
    monkeypatch.setattr(RunnerProcess, "confinement", lambda _process: walls)

    assert main(["walls"]) == status

    said = capsys.readouterr().out
    assert said.startswith("[ok]" if apart else "[not well]")
    assert ("network, files, processes" if apart else "none but the limits") in said
