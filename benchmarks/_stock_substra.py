"""The same training as Substra's users run it: stock FedAvg, stock spawner, pickled states, no masks, no consent.

`python -m benchmarks._stock_substra FOLDER` reads FOLDER/task.json, works in FOLDER and prints its rounds' seconds and
the weights as JSON. A program of its own, for Substra's local mode lives in the working directory of its process.
"""

import json
import os
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import substra
from substra.sdk.schemas import DataSampleSpec, DatasetSpec, Permissions
from substrafl.algorithms.algo import Algo
from substrafl.dependency import Dependency
from substrafl.experiment import execute_experiment
from substrafl.nodes import AggregationNode, TrainDataNode
from substrafl.remote.decorators import remote_data
from substrafl.strategies import FedAvg
from substrafl.strategies.schemas import FedAvgSharedState, StrategyName

from training.federated.layout import WEIGHT, WEIGHTED_UPDATE
from training.federated.plan import parse_training_plan
from training.federated.plan_code import TrainTask, train
from training.federated.weights import dump_weights

OPENER = """
import json
from pathlib import Path
import substratools as tools

class Rows(tools.Opener):
    def get_data(self, folders):
        return json.loads((Path(folders[0]) / "rows.json").read_text())

    def fake_data(self, n_samples=None):
        return []
"""


class LogisticRegression(Algo):  # type: ignore[misc]  # SubstraFL has no types
    """The plan's own code as an algorithm of SubstraFL."""

    def __init__(self, plan: dict[str, Any], weights: list[float]) -> None:
        super().__init__(plan=plan, weights=weights)
        self._plan = parse_training_plan(plan)
        self._weights = np.array(weights)

    @property
    def model(self) -> Any:
        return self._weights

    @property
    def strategies(self) -> list[StrategyName]:
        return [StrategyName.FEDERATED_AVERAGING]

    @remote_data  # type: ignore[untyped-decorator]
    def train(self, data_from_opener: Any, shared_state: Any = None) -> FedAvgSharedState:
        if shared_state is not None:
            self._weights = self._weights + shared_state.avg_parameters_update[0]
        plain = train(TrainTask(self._plan, dump_weights(self._weights)), data_from_opener)
        layout = self._plan.layout()
        rows = int(plain[layout.part(WEIGHT).place][0])
        return FedAvgSharedState(n_samples=rows, parameters_update=[plain[layout.part(WEIGHTED_UPDATE).place] / rows])

    def predict(self, data_from_opener: Any, shared_state: Any = None) -> Any:
        raise RuntimeError("not measured")

    def save_local_state(self, path: Path) -> None:
        with Path(path).open("wb") as file:
            np.save(file, self._weights)

    def load_local_state(self, path: Path) -> Any:
        self._weights = np.load(path, allow_pickle=False)
        return self


def main(folder: Path) -> None:
    """Run the experiment and print what it took."""
    os.chdir(folder)
    task = json.loads(Path("task.json").read_text())
    Path("opener.py").write_text(OPENER)
    Path("rows.md").write_text("# Rows\n")
    clients = [substra.Client(backend_type="subprocess") for _ in range(len(task["sites"]) + 1)]
    nodes = [
        _node(client, rows, place) for place, (client, rows) in enumerate(zip(clients, task["sites"], strict=False))
    ]
    client = clients[-1]
    plan = execute_experiment(
        client=client,
        # By its importable name, so that the tasks' own processes find the class.
        strategy=FedAvg(algo=_importable()(plan=task["plan"], weights=task["weights"])),
        train_data_nodes=nodes,
        aggregation_node=AggregationNode(client.organization_info().organization_id),
        evaluation_strategy=None,
        num_rounds=task["rounds"],
        experiment_folder=folder / "experiment",
        dependencies=Dependency(),
    )
    tasks = client.list_task(filters={"compute_plan_key": [plan.key]})
    sums = sorted(task.end_date for task in tasks if task.tag == "aggregate")
    last = max((task for task in tasks if task.tag == "train"), key=lambda task: task.rank)
    states = {output.identifier: output.asset for output in client.list_task_output_assets(last.key)}
    weights = np.load(states["local"].address.storage_address, allow_pickle=False)
    seconds = [(later - earlier).total_seconds() for earlier, later in pairwise(sums)]
    sys.stdout.write(json.dumps({"seconds": seconds, "weights": weights.tolist()}) + "\n")


def _importable() -> type[LogisticRegression]:
    from benchmarks._stock_substra import LogisticRegression as Importable

    return Importable


def _node(client: substra.Client, rows: list[dict[str, Any]], place: int) -> TrainDataNode:
    sample = Path("data") / str(place)
    sample.mkdir(parents=True)
    (sample / "rows.json").write_text(json.dumps(rows))
    own = Permissions(public=True, authorized_ids=[])
    spec = DatasetSpec(
        name=f"site {place}",
        data_opener=Path("opener.py"),
        description=Path("rows.md"),
        permissions=own,
        logs_permission=own,
    )
    key = client.add_dataset(spec)
    samples = [client.add_data_sample(DataSampleSpec(data_manager_keys=[key], path=sample))]
    return TrainDataNode(client.organization_info().organization_id, key, samples)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
