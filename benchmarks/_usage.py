"""Whose processor time a measurement took, read from the kernel's own accounts, and what it filled first."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_PROC = Path("/proc")
# From a process's name on: utime, stime and those of its children that have ended.
_USER, _SYSTEM, _CHILD_USER, _CHILD_SYSTEM, _PARENT = 11, 12, 13, 14, 1


@dataclass(frozen=True)
class Usage:
    """Seconds of processors: of each program, of everything on the machine, and of the clock."""

    programs: Mapping[str, float]
    machine: float
    clock: float

    def since(self, before: "Usage") -> dict[str, float]:
        """What each took since then, as a share of one processor; "machine" as a share of all of them."""
        passed = max(self.clock - before.clock, 1e-9)
        shares = {name: (spent - before.programs[name]) / passed for name, spent in self.programs.items()}
        return shares | {"machine": (self.machine - before.machine) / passed / len(os.sched_getaffinity(0))}


def usage(programs: Mapping[str, int]) -> Usage:
    """Read the accounts of programs, each named with its process; children count with their parents."""
    return Usage({name: _seconds(pid) for name, pid in programs.items()}, _machine_seconds(), time.monotonic())


def fullest(shares: Mapping[str, float]) -> tuple[str, float]:
    """The one of several limits that is nearest to full: what saturates first."""
    return max(shares.items(), key=lambda entry: entry[1])


def _seconds(pid: int) -> float:
    own = _fields(pid)
    ended = int(own[_CHILD_USER]) + int(own[_CHILD_SYSTEM])
    return (_ticks(own) + ended + sum(map(_ticks, _children(pid)))) / _TICKS


def _ticks(fields: list[str]) -> int:
    return int(fields[_USER]) + int(fields[_SYSTEM])


def _children(parent: int) -> list[list[str]]:
    found = []
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            try:
                fields = _fields(int(folder.name))
            except (FileNotFoundError, ProcessLookupError):
                # Ended since the folder was listed: its parent's account has it.
                continue
            if int(fields[_PARENT]) == parent:
                found.append(fields)
    return found


def _fields(pid: int) -> list[str]:
    """The fields of stat behind the name, which may hold spaces and brackets."""
    return (_PROC / str(pid) / "stat").read_text().rpartition(") ")[2].split()


def _machine_seconds() -> float:
    """What all processors worked, for whomever; waiting for disks is no work."""
    _, user, nice, system, _idle, _waiting, irq, softirq, *_ = (_PROC / "stat").read_text().partition("\n")[0].split()
    return sum(map(int, (user, nice, system, irq, softirq))) / _TICKS
