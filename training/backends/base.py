"""What a back end is: it runs the sites' tasks and the sum as tasks of its own book, and tells their lineage.

The coordinator publishes the sites' work to all agents at once, over the channel, before the back end is told: one
that runs tasks one after another finds the answers there. A back end sees masked vectors only. It may be
made anew at any point (`start` with a higher fence) and is then told again what is durable already.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Protocol

from training.federated.secagg.masked_vector import MaskedVector
from training.federated.secagg.prg import RingVector


@dataclass(frozen=True, slots=True)
class RunStart:
    """A run as a coordinator takes it up. `folder` is the run's own; `code_digest` names the sites' function."""

    run: uuid.UUID
    fence: int
    folder: Path
    sites: tuple[uuid.UUID, ...]
    code_digest: str
    from_round: int


@dataclass(frozen=True, slots=True)
class AttemptTask:
    """One attempt: who trains, from which weights, and the shape of a masked vector."""

    round: int
    attempt: int
    weights: str
    sites: tuple[uuid.UUID, ...]
    size: int
    ring_bits: int


@dataclass(frozen=True, slots=True)
class LineageEntry:
    """One task that has ended; `organization` is None for what the platform computed."""

    round: int
    attempt: int
    organization: uuid.UUID | None
    kind: str
    compute_plan: str
    key: str
    status: str
    parents: tuple[str, ...]
    output_digest: str
    started_at: datetime
    ended_at: datetime


class Backend(Protocol):
    """One run's back end; every method may be called again with the same arguments."""

    name: ClassVar[str]

    def start(self, run: RunStart) -> None:
        """Take the run up; `RunFailedError` if the back end cannot run here at all."""

    def publish(self, task: AttemptTask) -> None:
        """Begin the train tasks of all sites; each ends with `deliver` or `lose`."""

    def deliver(self, task: AttemptTask, vector: MaskedVector) -> None:
        """Take a site's masked vector, which is durable already."""

    def lose(self, task: AttemptTask, organization: uuid.UUID, reason: str) -> None:
        """End a site's task as failed."""

    def sum(self, task: AttemptTask, vectors: Sequence[MaskedVector]) -> RingVector:
        """Return the sum of the survivors' vectors, shape (size,), modulo 2**ring_bits."""

    def lineage(self) -> list[LineageEntry]:
        """Return the tasks that ended since the last call, without waiting for any; after `sum` and `cancel`, all."""

    def cancel(self) -> None:
        """Stop what runs; a task that waited for its site has then ended as canceled."""

    def close(self) -> None:
        """Let go of everything; the run has ended, or another coordinator has it."""
