"""Whatever is asked of whichever operation by whomever: the answer is one that the API's description allows."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import hypothesis
import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connection, transaction
from hypothesis import HealthCheck, Phase, strategies
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from consortium.common.tenancy import act_for
from tests.factories.everything import Everything
from tests.integration.api.cases import Asker, Cases, askers, labels

# A 500 is documented nowhere; where another server error is, a service is missing that the operation needs.
CHECKS = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
SLICE, SEED = 12, 20_261_126
SOAK = int(os.environ.get("CONSILIUM_SOAK_EXAMPLES", "200"))
LONGEST = 8

# Operations that no drawn request does, each with what it would need; tests of their own apps do them.
NEVER_DONE = {
    "POST /api/v1/agent/checkpoints/{checkpoint}/signature": "a signature of just this checkpoint",
    "POST /api/v1/agent/consents/batches": "consents that parse as FHIR, in the batch that is due",
    "POST /api/v1/agent/consents/epochs": "a signature of just this epoch",
    "POST /api/v1/agent/consents/revocations": "a signature of just this revocation",
    "POST /api/v1/agent/consents/withdrawals/{withdrawal}/receipt": "the pseudonym of just this withdrawal",
    "POST /api/v1/agent/vetoes/{proposal}": "a guardian's signature of just this act",
    "POST /api/v1/consortia/{consortium}/plans": "a plan whose sites are the consortium's members",
    "GET /api/v1/bundles/{bundle}/content": "a bundle that a worker has made",
    "GET /api/v1/consortia/{consortium}/trust": "a chain that answers",
}

Ask = Callable[[str, int, int], set[int]]


@contextmanager
def one_connection() -> Iterator[None]:
    """Let requests use the test's connection, and its transaction: Django would close it after each of them."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    try:
        yield
    finally:
        for signal in (request_started, request_finished):
            signal.connect(close_old_connections)


@pytest.fixture
def ask(everything: Everything, sites: Any) -> Ask:
    """Ask an operation `count` times; nothing of an answer is kept for the next."""
    load_all_checks()
    sites["hospital"].open_session()

    def run(label: str, count: int, seed: int) -> set[int]:
        with act_for(organization_id=everything.world.hospital.pk):
            coming = askers(label, sites["hospital"])
        cases, statuses = Cases(label, everything, sites["hospital"]), set[int]()

        @hypothesis.seed(seed)
        @hypothesis.settings(
            max_examples=count,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @hypothesis.given(data=strategies.data(), asker=strategies.sampled_from(coming))
        def each(data: Any, asker: Asker) -> None:
            statuses.add(conforms(cases.draw(data), asker))

        with one_connection():
            each()
        return statuses

    return run


def conforms(case: Any, asker: Asker) -> int:
    """Send, check the answer and the tables' constraints, and take back what was done."""
    with transaction.atomic():
        answer = case.call(headers=asker.headers)
        case.validate_response(answer, checks=checks_of(case), headers=asker.headers)
        connection.check_constraints()
        transaction.set_rollback(True)
    return int(answer.status_code)


def checks_of(case: Any) -> list[Any]:
    """Words in the query that an operation does not know are no fault of the asker's: they are passed over."""
    known = {parameter.name for parameter in case.operation.query}
    strange = set(case.query or {}) - known
    return [check for check in CHECKS if not (strange and check is negative_data_rejection)]


@pytest.mark.parametrize("label", labels())
def test_every_answer_is_one_that_the_description_allows(ask, label):
    ask(label, SLICE, SEED)


@pytest.mark.soak
@pytest.mark.timeout(3_600)
@pytest.mark.parametrize("label", labels())
def test_thousands_of_answers_are_such(ask, label, request):
    seed, statuses = request.config.getoption("randomly_seed", SEED), set[int]()
    # What takes several lucky draws at once is drawn for longer.
    for more in range(LONGEST):
        statuses |= ask(label, SOAK, seed + more)
        if any(status < 300 for status in statuses) or label in NEVER_DONE:
            return

    pytest.fail(f"Nothing was done: {statuses}")
