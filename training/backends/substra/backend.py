"""The Substra back end: local mode in a child of the coordinator, sites' tasks answered by the sites' agents.

Substra runs the tasks of a round one after another and waits for each; the coordinator has published them to all
agents before, so a round takes as long as its slowest site. Nothing of Substra is imported here.
"""

import importlib.util
import shutil
import uuid
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar

from training.backends.base import AttemptTask, LineageEntry, RunStart
from training.backends.substra.child_process import ChildLostError, ChildProcess
from training.errors import RunFailedError
from training.federated.secagg.masked_vector import MaskedVector, unpack
from training.federated.secagg.prg import RingVector

# Substra's bookkeeping takes longer with every task that a process has seen: a new plan in a new one now and then.
ROUNDS_A_PLAN = 100
_FOLDER = "substra"


@dataclass
class _Attempt:
    """What the child was told of one attempt: whose task still waits, and the sum once it is known."""

    waiting: set[uuid.UUID]
    total: RingVector | None = None


class SubstraBackend:
    """One run in one compute plan, or in several: about every hundred rounds, and after each restart, in a new one."""

    name: ClassVar[str] = "substra"

    def __init__(self) -> None:
        self._run: RunStart | None = None
        self._child: ChildProcess | None = None
        self._plan = ""
        self._children = 0
        self._first_round = 0
        self._attempts: dict[tuple[int, int], _Attempt] = {}
        self._rows: list[LineageEntry] = []

    def start(self, run: RunStart) -> None:
        """Start the child without waiting for it: Substra is imported while the run opens.

        Raises
        ------
        RunFailedError
            If Substra is not installed where runs are coordinated.
        """
        if importlib.util.find_spec("substrafl") is None:
            raise RunFailedError(
                "backend_missing",
                "Substra is not installed where runs are coordinated. Install the extra `substra` there, "
                "or start the run on another back end.",
            )
        self.close()
        self._run = run
        # What a killed coordinator left behind.
        for leftover in run.folder.glob(f"{_FOLDER}-*"):
            shutil.rmtree(leftover, ignore_errors=True)
        self._start(run.from_round)

    def publish(self, task: AttemptTask) -> None:
        self._attempt(task, task.sites)

    def deliver(self, task: AttemptTask, vector: MaskedVector) -> None:
        attempt = self._attempt(task, task.sites)
        if vector.organization in attempt.waiting:
            attempt.waiting.remove(vector.organization)
            self._tell("deliver", {**_place(task), "site": str(vector.organization)}, vector.data)

    def lose(self, task: AttemptTask, organization: uuid.UUID, reason: str) -> None:
        attempt = self._attempt(task, task.sites)
        if organization in attempt.waiting:
            attempt.waiting.remove(organization)
            self._tell("lose", {**_place(task), "site": str(organization), "reason": reason})

    def sum(self, task: AttemptTask, vectors: Sequence[MaskedVector]) -> RingVector:
        """Return the sum, as a task of the plan; a coordinator that resumes here has the train tasks run first."""
        attempt = self._attempt(task, tuple(vector.organization for vector in vectors))
        if attempt.total is not None:
            return attempt.total.copy()
        for vector in vectors:
            self.deliver(task, vector)
        for organization in sorted(attempt.waiting):
            self.lose(task, organization, "not among the survivors")
        sites = [str(vector.organization) for vector in vectors]
        self._tell("sum", {**_shape(task), "sites": sites})
        raw = self._wait_for("summed")
        attempt.total = unpack(MaskedVector(uuid.UUID(int=0), raw), size=task.size, ring_bits=task.ring_bits)
        # Vectors are large: only the newest attempt's sum is kept for being asked again.
        self._attempts = {(task.round, task.attempt): attempt}
        return attempt.total.copy()

    def lineage(self) -> list[LineageEntry]:
        if self._child is not None:
            for head, _body in self._child.received():
                self._take(head)
        rows, self._rows = self._rows, []
        return rows

    def cancel(self) -> None:
        """End what waits as canceled, and keep its rows; a child that is gone has nothing to cancel."""
        if self._child is None:
            return
        try:
            self._tell("cancel", {})
            self._settle()
        except ChildLostError:
            self.close()

    def close(self) -> None:
        if self._child is not None:
            self._child.close()
            # The run's own folder is kept while another coordinator's child is in it.
            with suppress(OSError):
                self._started().folder.rmdir()
        self._child, self._attempts = None, {}

    def _attempt(self, task: AttemptTask, sites: tuple[uuid.UUID, ...]) -> _Attempt:
        """Return what the child knows of the attempt; at first, have it run these sites' tasks."""
        place = (task.round, task.attempt)
        if place not in self._attempts:
            self._renew(task.round)
            self._attempts[place] = _Attempt(set(sites))
            self._tell("publish", {**_shape(task), "sites": [str(site) for site in sites]})
        return self._attempts[place]

    def _renew(self, number: int) -> None:
        if self._child is not None and number - self._first_round >= ROUNDS_A_PLAN:
            self._settle()
            self.close()
            self._start(number)

    def _start(self, number: int) -> None:
        run = self._started()
        self._children += 1
        self._first_round = number
        self._child = ChildProcess(run.folder / f"{_FOLDER}-{run.fence}-{self._children}", fence=run.fence)
        self._tell(
            "start",
            {
                "run": str(run.run),
                "function": run.code_digest,
                "sites": [str(site) for site in run.sites],
                "resumes": self._plan,
            },
        )

    def _settle(self) -> None:
        """Wait until everything that was asked for has been done."""
        self._tell("settle", {})
        self._wait_for("settled")

    def _wait_for(self, event: str) -> bytes:
        if self._child is None:
            raise ChildLostError("The run's Substra process was ended.")
        while True:
            head, body = self._child.receive()
            if head["event"] == event:
                return body
            self._take(head)

    def _take(self, head: Mapping[str, Any]) -> None:
        if head["event"] == "ready":
            self._plan = head["compute_plan"]
        elif head["event"] == "ended":
            self._rows.append(_entry(head))

    def _tell(self, operation: str, fields: Mapping[str, Any], body: bytes = b"") -> None:
        if self._child is None:
            raise ChildLostError("The run's Substra process was ended.")
        self._child.send(operation, fields, body)

    def _started(self) -> RunStart:
        if self._run is None:
            raise RuntimeError("A back end is started before it is used.")
        return self._run


def _place(task: AttemptTask) -> dict[str, Any]:
    return {"round": task.round, "attempt": task.attempt}


def _shape(task: AttemptTask) -> dict[str, Any]:
    return {**_place(task), "weights": task.weights, "size": task.size, "ring_bits": task.ring_bits}


def _entry(row: Mapping[str, Any]) -> LineageEntry:
    return LineageEntry(
        round=row["round"],
        attempt=row["attempt"],
        organization=uuid.UUID(row["organization"]) if row["organization"] else None,
        kind=row["kind"],
        compute_plan=row["compute_plan"],
        key=row["key"],
        status=row["status"],
        parents=tuple(row["parents"]),
        output_digest=row["output_digest"],
        started_at=datetime.fromisoformat(row["started_at"]),
        ended_at=datetime.fromisoformat(row["ended_at"]),
    )
