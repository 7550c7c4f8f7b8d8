"""The back end that adds in the coordinator: nothing between the agents and the sum."""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from consortium.kernel.digests import sha256_digest
from training.backends.base import AttemptTask, LineageEntry, RunStart
from training.federated import tensors
from training.federated.secagg.masked_vector import MaskedVector, sum_vectors
from training.federated.secagg.prg import RingVector


class MemoryBackend:
    """Adds masked vectors as they are given; its compute plan is the run under a fence."""

    name: ClassVar[str] = "memory"

    def __init__(self) -> None:
        self._run: RunStart | None = None
        self._begun: dict[str, datetime] = {}
        self._ended: dict[str, LineageEntry] = {}
        self._told: set[str] = set()

    def start(self, run: RunStart) -> None:
        self._run = run

    def publish(self, task: AttemptTask) -> None:
        for site in task.sites:
            self._begun.setdefault(self._key(task, "train", site), datetime.now(UTC))

    def deliver(self, task: AttemptTask, vector: MaskedVector) -> None:
        self._end(task, "train", vector.organization, "done", sha256_digest(vector.data))

    def lose(self, task: AttemptTask, organization: uuid.UUID, reason: str) -> None:
        self._end(task, "train", organization, "failed", "")

    def sum(self, task: AttemptTask, vectors: Sequence[MaskedVector]) -> RingVector:
        begun = datetime.now(UTC)
        total = sum_vectors(vectors, size=task.size, ring_bits=task.ring_bits)
        self._begun[self._key(task, "sum", None)] = begun
        parents = tuple(self._key(task, "train", vector.organization) for vector in vectors)
        self._end(task, "sum", None, "done", sha256_digest(tensors.dump({"masked": total})), parents)
        return total

    def lineage(self) -> list[LineageEntry]:
        fresh = [entry for key, entry in self._ended.items() if key not in self._told]
        self._told.update(entry.key for entry in fresh)
        return fresh

    def cancel(self) -> None:
        self._begun.clear()

    def close(self) -> None:
        self._begun.clear()
        self._ended.clear()

    def _end(
        self,
        task: AttemptTask,
        kind: str,
        organization: uuid.UUID | None,
        status: str,
        digest: str,
        parents: tuple[str, ...] = (),
    ) -> None:
        key, now = self._key(task, kind, organization), datetime.now(UTC)
        entry = LineageEntry(
            round=task.round,
            attempt=task.attempt,
            organization=organization,
            kind=kind,
            compute_plan=f"memory-{self._run.fence if self._run else 0}",
            key=key,
            status=status,
            parents=parents,
            output_digest=digest,
            started_at=self._begun.get(key, now),
            ended_at=now,
        )
        self._ended.setdefault(key, entry)

    @staticmethod
    def _key(task: AttemptTask, kind: str, organization: uuid.UUID | None) -> str:
        return f"{kind}-{task.round}-{task.attempt}" + (f"-{organization}" if organization else "")
