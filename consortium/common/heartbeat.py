"""The sign of life of a program that serves no requests: a file that probes look at (`HEARTBEAT_FILE`).

Its time says when the program last got round. The word in it says whether the program works, or is held because a
person has to look. Asking Celery or Django instead would start an interpreter for every probe.
"""

import os
from pathlib import Path
from typing import Any

VARIABLE = "HEARTBEAT_FILE"


def beat(**_signal: Any) -> None:
    """Say that the program works; also a receiver of Celery's signals. Without HEARTBEAT_FILE it does nothing."""
    _write("working")


def beat_held() -> None:
    """Say that the program lives and does nothing until a person has looked."""
    _write("held")


def _write(word: str) -> None:
    if name := os.environ.get(VARIABLE):
        Path(name).write_text(f"{word}\n")
