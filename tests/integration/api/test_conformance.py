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

Ask = Callable[[str, int, int], None]


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

    def run(label: str, count: int, seed: int) -> None:
        with act_for(organization_id=everything.world.hospital.pk):
            coming = askers(label, sites["hospital"])
        cases = Cases(label, everything, sites["hospital"])

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
            conforms(cases.draw(data), asker)

        with one_connection():
            each()

    return run


def conforms(case: Any, asker: Asker) -> None:
    """Send, check the answer and the tables' constraints, and take back what was done."""
    with transaction.atomic():
        answer = case.call(headers=asker.headers)
        case.validate_response(answer, checks=checks_of(case), headers=asker.headers)
        connection.check_constraints()
        transaction.set_rollback(True)


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
    ask(label, SOAK, request.config.getoption("randomly_seed", SEED))
