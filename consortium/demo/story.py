"""A story is steps with claims: each claim is checked when it is told, and one that fails fails the story."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class ClaimFailedError(Exception):
    """A claim of the story did not hold."""


@dataclass
class Story:
    """Tells steps and claims on the terminal, and keeps what was measured in `result`."""

    folder: Path
    result: dict[str, Any] = field(default_factory=dict)
    claims: int = 0
    started: float = field(default_factory=time.monotonic)

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Tell a step and how long it took."""
        began = time.monotonic()
        self.say(f"\n{title}", bold=True)
        yield
        self.say(f"    {time.monotonic() - began:.1f} s", dim=True)

    def claim(self, text: str, held: bool, found: object = "") -> None:
        """Tell a claim; raise if it does not hold, with what was found instead."""
        if not held:
            self.say(f"  ✗ {text}", bold=True)
            raise ClaimFailedError(f"{text}: found {found!r}")
        self.claims += 1
        self.say(f"  ✓ {text}")

    def note(self, text: str) -> None:
        self.say(f"    {text}", dim=True)

    def record(self, **values: Any) -> None:
        """Keep figures for `result.json`: only of steps that really ran."""
        self.result |= values

    def finish(self) -> Path:
        self.record(wall_seconds=round(time.monotonic() - self.started, 1))
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / "result.json"
        path.write_text(json.dumps(self.result, indent=2) + "\n")
        return path

    @staticmethod
    def say(text: str, *, bold: bool = False, dim: bool = False) -> None:
        if sys.stdout.isatty() and (bold or dim):
            text = f"\033[{'1' if bold else '2'}m{text}\033[0m"
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
