"""How a task is executed: a site's by that site's agent, the sum in this process. No archive is ever opened.

Substra looks a spawner up in a table and tells it no task: the task's key is the name of the folder above its inputs.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from substra.sdk.backends.local import db
from substra.sdk.backends.local.compute import spawner
from substra.sdk.backends.local.compute.spawner.base import VOLUME_INPUTS, BaseSpawner
from substra.sdk.schemas import BackendType, Type
from substrafl.schemas import TaskType

from training.backends.substra.answers import Answers, Place

# Adds the states that lie at these paths, and writes the sum to the last one.
AddStates = Callable[[list[Path], Path], None]


class AgentSpawner(BaseSpawner):
    """Waits for the site's answer, or adds; made anew by every client of the process.

    Parameters
    ----------
    places : mapping from a train task's key to the answer that it waits for
    """

    def __init__(
        self, answers: Answers, places: Mapping[str, Place], add_states: AddStates, *, local_worker_dir: Path
    ) -> None:
        super().__init__(local_worker_dir=local_worker_dir)
        self._answers = answers
        self._places = places
        self._add_states = add_states

    def spawn(
        self,
        name: str,
        archive_path: str,
        command_args_tpl: list[Any],
        data_sample_paths: Mapping[str, Path] | None,
        local_volumes: Mapping[str, str],
        envs: Mapping[str, str] | None,
    ) -> None:
        """Execute one task.

        Raises
        ------
        SiteLostError, CanceledError
            If the site's answer does not come.
        """
        key = Path(local_volumes[VOLUME_INPUTS]).parent.name
        task = db.get_db().get(Type.Task, key)
        words = [template.substitute(**local_volumes) for template in command_args_tpl]
        outputs = {entry["id"]: Path(entry["value"]) for entry in _argument(words, "--outputs")}
        if task.tag == TaskType.TRAIN:
            outputs["shared"].write_bytes(self._answers.wait(self._places[key]))
            # A site keeps its state itself; what Substra calls its local state is a name.
            outputs["local"].write_bytes(b"the site's own")
        else:
            states = [Path(entry["value"]) for entry in _argument(words, "--inputs") if entry["id"] == "shared"]
            self._add_states(states, outputs["shared"])


def install(make: Callable[..., AgentSpawner]) -> None:
    """Have Substra's local mode execute tasks by `make(local_worker_dir=...)`."""
    spawner.DEBUG_SPAWNER_CHOICES[BackendType.LOCAL_SUBPROCESS] = make


def _argument(words: list[str], name: str) -> list[dict[str, Any]]:
    value: list[dict[str, Any]] = json.loads(words[words.index(name) + 1])
    return value
