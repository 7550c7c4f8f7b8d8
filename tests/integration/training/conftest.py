"""A founded consortium on anvil for the session; rows, threads and an approved plan for each test."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection

from consortium.common.tenancy import act_for_all
from tests.chain.anvil import Anvil
from tests.integration.training.consortium_chain import ConsortiumChain
from tests.integration.training.platform import Platform, document_of, draft, found, make_sites, serve
from training.coordination.waiting import Waiter
from training.models import Plan


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ConsortiumChain]:
    node = Anvil(tmp_path_factory.mktemp("training-anvil")).start()
    try:
        yield ConsortiumChain(node)
    finally:
        node.stop()


@pytest.fixture
def system_role(transactional_db: None) -> Iterator[None]:
    """Every new connection is the system's, as in the coordinator's process."""
    options = connection.settings_dict["OPTIONS"]
    before = options["options"]
    connection.close()
    options["options"] = "-c role=consilium_system"
    with act_for_all():
        yield
    connection.close()
    options["options"] = before


@pytest.fixture
def parameters(system_role: None) -> dict[str, Any]:
    found_parameters = connection.get_connection_params()
    for name in ("cursor_factory", "context", "prepare_threshold"):
        found_parameters.pop(name, None)
    return found_parameters


@pytest.fixture
def changes() -> dict[str, Any]:
    """Overridden by a test's parameters: what its plan differs in."""
    return {}


@pytest.fixture
def platform(
    chain: ConsortiumChain, parameters: dict[str, Any], changes: dict[str, Any], request: pytest.FixtureRequest
) -> Iterator[Platform]:
    consortium = found(chain)
    plan = draft(chain, consortium, title=request.node.name[:200], **changes)
    made = Platform(chain, consortium, make_sites(chain), plan, document_of(plan))
    serve(made, parameters)
    chain.decide(1, bytes.fromhex(plan.subject[2:]))
    with Waiter(made.check) as waiter:
        approved = waiter.until(lambda: True if Plan.objects.get(pk=plan.pk).state == "approved" else None, seconds=20)
    assert approved
    plan.refresh_from_db()
    yield made
    for thread in made.threads:
        thread.stop()
    made.check()
