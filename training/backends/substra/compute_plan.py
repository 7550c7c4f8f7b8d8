"""One compute plan in Substra's local mode: an organization a site and one for the sum, tasks added round by round.

What Substra keeps dies with this process, so each task leaves as a row of lineage when it ends. Local mode enforces
no permissions and keeps organizations apart by name only; the walls are the agents'.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import substra
from substra.sdk.backends.local import db
from substra.sdk.models import ComputeTaskStatus
from substra.sdk.schemas import ComputePlanSpec, DataSampleSpec, DatasetSpec, Permissions, Type
from substrafl.dependency import Dependency
from substrafl.nodes import AggregationNode, TrainDataNode
from substrafl.nodes.references.shared_state import SharedStateRef

from training.backends.substra.answers import Answers, CanceledError, Place, SiteLostError
from training.backends.substra.experiment import MaskedSum, SitePointer
from training.backends.substra.remote import BytesRemoteMethod
from training.backends.substra.spawner import AgentSpawner, install

# A function that Substra runs can read a mounted sample without its opener, so nothing that could be read lies here.
OPENER = 'raise RuntimeError("Records are read by the site\'s own agent only.")\n'
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """A round's attempt as the plan's tasks name it."""

    round: int
    attempt: int
    weights: str
    size: int
    ring_bits: int


@dataclass
class _Attempt:
    """The tasks of one attempt: each site's state, and the sum's."""

    trained: dict[str, SharedStateRef] = field(default_factory=dict)
    summed: SharedStateRef | None = None


class ComputePlan:
    """The plan of one run under one fence, in the present folder.

    Parameters
    ----------
    labels : mapping
        What every task's metadata carry: run, fence, and the digest of the sites' function.
    resumes : str
        The key of the plan that an earlier process left behind, or nothing.
    """

    def __init__(self, sites: Sequence[str], answers: Answers, *, labels: Mapping[str, str], resumes: str = "") -> None:
        self._labels = dict(labels)
        self._answers = answers
        self._places: dict[str, Place] = {}
        self._shape: Shape | None = None
        install(partial(AgentSpawner, answers, self._places, self._add_states))
        # A client that is collected deletes the files of its organization: all are kept.
        self._clients = [substra.Client(backend_type="subprocess") for _ in range(len(sites) + 1)]
        self._client = self._clients[-1]
        names = [client.organization_info().organization_id for client in self._clients]
        self._organizations = names
        self._sites = dict(zip(names, sites, strict=False))
        self._nodes = {
            site: _pointer(client, name, site) for client, name, site in zip(self._clients, names, sites, strict=False)
        }
        self._aggregator = AggregationNode(names[-1])
        self._strategy = MaskedSum(SitePointer())
        self._functions: dict[Any, str] = {}
        self._dependency = Dependency()
        self._attempts: dict[tuple[int, int], _Attempt] = {}
        self._last: SharedStateRef | None = None
        self.key = str(uuid.uuid4())
        metadata = {**self._labels, **({"resumes": resumes} if resumes else {})}
        self._client.add_compute_plan(
            ComputePlanSpec(key=self.key, tasks=[], name=f"run {labels['run']}", tag=labels["run"], metadata=metadata)
        )

    def train(self, shape: Shape, site: str) -> Row:
        """Run one site's train task until its answer is here, or it is known that none comes; return its row."""
        node = self._nodes[site]
        state = self._strategy.train(node, self._organizations[-1], self._last, shape.round)
        self._places[state.key] = Place(shape.round, shape.attempt, site)
        try:
            self._submit(node, shape)
        except SiteLostError:
            return self._end(state.key, shape, ComputeTaskStatus.failed)
        except CanceledError:
            return self._end(state.key, shape, ComputeTaskStatus.canceled)
        finally:
            del self._places[state.key]
        self._attempts.setdefault((shape.round, shape.attempt), _Attempt()).trained[site] = state
        return self._row(state.key, shape)

    def sum(self, shape: Shape, sites: Sequence[str]) -> tuple[Row, bytes]:
        """Run the sum over these sites' vectors, each of which has a train task that is done."""
        attempt = self._attempts[shape.round, shape.attempt]
        states = [attempt.trained[site] for site in sites]
        sizes = {"size": shape.size, "ring_bits": shape.ring_bits}
        state = self._strategy.aggregate(self._aggregator, states, shape.round, **sizes)
        self._shape = shape
        self._submit(self._aggregator, shape)
        attempt.summed = self._last = state
        [output] = self._client.list_task_output_assets(state.key)
        row, total = self._row(state.key, shape), Path(output.asset.address.storage_address).read_bytes()
        self._forget(shape.round)
        return row, total

    def _submit(self, node: TrainDataNode | AggregationNode, shape: Shape) -> None:
        """One call a task: a failing one then spoils neither its siblings nor the plan."""
        for task in node.tasks:
            task["metadata"] |= {**self._labels, "attempt": str(shape.attempt), "weights": shape.weights}
        try:
            self._functions = node.register_operations(
                client=self._client,
                permissions=Permissions(public=False, authorized_ids=self._organizations),
                cache=self._functions,
                dependencies=self._dependency,
            )
            self._client.add_compute_plan_tasks(self.key, {"tasks": node.tasks})
        finally:
            node.tasks = []

    def _add_states(self, states: list[Path], result: Path) -> None:
        """Add without opening the archive: the same method that the archive holds, and nothing unpickled."""
        if self._shape is None:
            raise RuntimeError("A sum is asked for by `sum` only.")
        sizes = {"size": self._shape.size, "ring_bits": self._shape.ring_bits}
        method = BytesRemoteMethod(self._strategy, "sum_masked", sizes)
        method.generic_function({"shared": states}, {"shared": result}, {})

    def _end(self, key: str, shape: Shape, status: ComputeTaskStatus) -> Row:
        """Write into Substra's records what it does not: it leaves a task that raised as executing."""
        task = db.get_db().get(Type.Task, key)
        plan = db.get_db().get(Type.ComputePlan, self.key)
        task.status, task.end_date = status, datetime.now(UTC).astimezone().replace(tzinfo=None)
        plan.waiting_executor_slot_count -= 1
        if status == ComputeTaskStatus.canceled:
            plan.canceled_count += 1
        else:
            plan.failed_count += 1
        return self._row(key, shape)

    def _row(self, key: str, shape: Shape) -> Row:
        task = self._client.get_task(key)
        site = self._sites.get(task.worker)
        outputs = {output.identifier: output.asset for output in self._client.list_task_output_assets(key)}
        return {
            "round": shape.round,
            "attempt": shape.attempt,
            "organization": site,
            "kind": "train" if site else "sum",
            "compute_plan": self.key,
            "key": key,
            "status": task.status.name,
            "parents": [entry.parent_task_key for entry in task.inputs if entry.parent_task_key],
            "output_digest": f"sha256:{outputs['shared'].address.checksum}" if "shared" in outputs else "",
            "started_at": _utc(task.start_date),
            "ended_at": _utc(task.end_date),
        }

    def _forget(self, number: int) -> None:
        """Delete vectors that no later task takes: Substra keeps each of them for ever, once a site and round."""
        for place in [place for place in self._attempts if place[0] < number]:
            attempt = self._attempts.pop(place)
            for state in (*attempt.trained.values(), *([attempt.summed] if attempt.summed else [])):
                for output in self._client.list_task_output_assets(state.key):
                    Path(output.asset.address.storage_address).unlink(missing_ok=True)


def _pointer(client: substra.Client, organization: str, site: str) -> TrainDataNode:
    """Register what stands for a site's records: a name."""
    folder = Path("pointers") / site
    folder.mkdir(parents=True)
    (folder / "pointer").write_text(site)
    opener, description = Path("opener.py"), Path("pointer.md")
    opener.write_text(OPENER)
    description.write_text("# A pointer to records that stay at their site\n")
    own = Permissions(public=False, authorized_ids=[organization])
    spec = DatasetSpec(name=site, data_opener=opener, description=description, permissions=own, logs_permission=own)
    key = client.add_dataset(spec)
    sample = client.add_data_sample(DataSampleSpec(data_manager_keys=[key], path=folder))
    return TrainDataNode(organization, key, [sample])


def _utc(moment: datetime) -> str:
    """Return Substra's local time, which names no zone, in UTC."""
    return moment.astimezone(UTC).isoformat()
