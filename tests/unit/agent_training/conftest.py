"""One world a module: five sites take a second to make, and every test leads a run of its own."""

from collections.abc import Iterator

import pytest

import agent.keystore
import agent.people
from agent.training.runner_process import RunnerProcess
from tests.unit.agent_training.worlds import World, make_world


@pytest.fixture(scope="session")
def runner() -> Iterator[RunnerProcess]:
    """The real helper: plans' code runs apart in these tests too."""
    process = RunnerProcess()
    process.start()
    yield process
    process.close()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, runner: RunnerProcess) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agent.people, "SCRYPT_N", 2**4)
        patch.setattr(agent.keystore, "SCRYPT_COST", 2)
        made = make_world(tmp_path_factory.mktemp("sites"), runner)
        yield made
        for site in made.sites.values():
            site.consents.database.close()
            site.consents.vault.database.close()
            site.journal.close()
