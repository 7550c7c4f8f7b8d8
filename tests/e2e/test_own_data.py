"""The guide on one's own data, followed word for word: three organizations from an empty platform to a prediction."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from consortium.demo.__main__ import remove
from consortium.demo.serve import FOLDER_VARIABLE, READY
from consortium.embedded.layout import Layout, project_root
from consortium.embedded.tied import INSTANCE_VARIABLE
from tests.e2e.guide import read_guide
from tests.e2e.instance import FOREIGN

GUIDE = project_root() / "docs" / "guides" / "own-data.md"
START_SECONDS, FOLLOW_SECONDS, END_SECONDS = 240, 900, 60

pytestmark = [pytest.mark.story, pytest.mark.xdist_group("own-data"), pytest.mark.timeout(1200)]


def test_the_guide_leads_from_an_empty_platform_to_a_prediction() -> None:
    layout = Layout(project_root() / ".local" / "own-data")
    remove(layout)
    (layout.root / "serve.env").unlink(missing_ok=True)
    shutil.rmtree(layout.root / "desk", ignore_errors=True)
    guide = read_guide(GUIDE)

    with served(guide.service, layout):
        said = followed(guide.script, layout)

    scores = json.loads(said[said.rindex('{\n "model"') :])["scores"]
    assert len(scores) == 3
    assert all(0 < score < 1 for score in scores)
    # Older, urgently admitted, dead or gone after two days: this table knows that such patients die more often.
    assert scores[1] > scores[0]
    assert "Secure sum: n=3, t=3, c=1" in said
    assert "\ncompleted\n" in said
    assert re.search(r"drg112: \d+ rows of \d+ subjects\n\d+ rows lack died and are left out of training", said)
    assert re.search(r"round 8 attempt \d+: \d+ subjects", said)
    assert re.search(r"\d+ rows of the data set lack what the plan learns, and were left out", said)
    assert said.count("consents taken, 0 refused") == 3


@contextmanager
def served(command: str, layout: Layout) -> Iterator[None]:
    """Run the guide's service beside it until the block ends, on ports and in a folder of the test's own."""
    layout.root.mkdir(parents=True, exist_ok=True)
    log = layout.root / "serve.log"
    with log.open("wb") as output:
        service = subprocess.Popen(
            ["sh", "-c", command],
            cwd=project_root(),
            env=_environment(layout) | {"ARGS": "--port 0"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _await(lambda: READY in log.read_text(), service, log)
        yield
    finally:
        _end(service)


def followed(script: str, layout: Layout) -> str:
    """Run the guide's script and return what its commands printed."""
    shell = subprocess.Popen(
        ["bash", "-c", script],
        cwd=project_root(),
        env=_environment(layout),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        said, told = shell.communicate(timeout=FOLLOW_SECONDS)
    finally:
        # The agents that the guide starts end with its shell.
        _end(shell)
    assert shell.returncode == 0, f"{told[-3000:]}\n{said[-2000:]}"
    return said


def _environment(layout: Layout) -> dict[str, str]:
    kept = {
        name: text
        for name, text in os.environ.items()
        if name not in (*FOREIGN, INSTANCE_VARIABLE) and not name.startswith("MAKE")
    }
    return kept | {FOLDER_VARIABLE: str(layout.root), "PYTHONDONTWRITEBYTECODE": "1"}


def _await(ready: Callable[[], bool], service: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        assert service.poll() is None, log.read_text()[-3000:]
        assert time.monotonic() < deadline, log.read_text()[-3000:]
        time.sleep(0.1)


def _end(process: subprocess.Popen[bytes] | subprocess.Popen[str]) -> None:
    """End a process and what it has started: kindly, and what is left then otherwise."""
    with suppress(ProcessLookupError, subprocess.TimeoutExpired):
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(END_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
