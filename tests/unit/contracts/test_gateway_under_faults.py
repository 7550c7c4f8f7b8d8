"""Under faults in any order the gateway gives the right answer or a named error: never a wrong answer, never a hang."""

import time
from contextlib import ExitStack
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contracts.artifacts import Artifacts
from contracts.errors import (
    AnswerUnreadableError,
    BlockNotFoundError,
    ChainBehindError,
    ChainError,
    ChainTimeoutError,
    ChainUnavailableError,
)
from contracts.events import ContractReference
from contracts.gateway import Gateway
from tests.besu.faults import Fault
from tests.besu.node import Node
from tests.besu.recordings import CHAIN_ID, DATA
from tests.besu.replay import recorded_node
from tests.besu.server import Server, serve

RECORDER = ContractReference("Recorder", "0x221EDC9c97365E06dA77B157cEfa535E04efA52D")
ARTIFACTS = Artifacts([DATA / "contracts"])
SENDER = "0x9650178cDB4fC719842F5D9b768C7A443E641425"
MINED = bytes.fromhex("a5cef74ffaa2eb22d07e0d819e8f96e8619323a189bd7c84f96713d29355d922")
# Short, because silence is waited for so long; what must be answered has more time.
ANSWER_SECONDS = 0.1
PATIENT_SECONDS = 10.0

QUESTIONS = {
    "head": lambda gateway: gateway.head(),
    "block": lambda gateway: gateway.block(16),
    "logs": lambda gateway: gateway.logs([RECORDER], 0, 110),
    "receipt": lambda gateway: gateway.receipt(MINED),
    "count": lambda gateway: gateway.transaction_count(SENDER),
    "code": lambda gateway: gateway.code("0x0000000000000000000000000000000000007777"),
    "transaction": lambda gateway: gateway.transaction(MINED),
}
FAULTS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from(list(Fault)), st.integers(1, 2)), max_size=4)


@pytest.fixture(scope="module")
def servers():
    with ExitStack() as stack:
        yield [stack.enter_context(serve(recorded_node())) for _ in range(2)]


@pytest.fixture(scope="module")
def right(servers) -> dict[str, Any]:
    gateway = _gateway(servers, PATIENT_SECONDS)
    return {name: ask(gateway) for name, ask in QUESTIONS.items()}


def _outcome(gateway: Gateway, name: str) -> Any:
    """The answer, or the error of the chain's family; any other is a fault of ours."""
    try:
        return QUESTIONS[name](gateway)
    except ChainError as error:
        return error


def _gateway(servers: list[Server], seconds: float = ANSWER_SECONDS) -> Gateway:
    urls = [server.url for server in servers]
    return Gateway(urls, chain_id=CHAIN_ID, artifacts=ARTIFACTS, timeout_seconds=seconds)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(faults=FAULTS, names=st.lists(st.sampled_from(sorted(QUESTIONS)), min_size=1, max_size=4))
def test_an_answer_is_right_or_a_named_error(servers, right, faults, names):
    for server in servers:
        server.heal()
        server.requests.clear()
    for place, fault, times in faults:
        servers[place].fail(fault, times=times)
    gateway = _gateway(servers)
    for name in names:
        started = time.monotonic()
        found = _outcome(gateway, name)
        assert found.retryable if isinstance(found, ChainError) else found == right[name]
        assert time.monotonic() - started < 10


@pytest.mark.parametrize("fault", list(Fault))
@pytest.mark.parametrize("name", sorted(QUESTIONS))
def test_one_fault_on_a_single_node_is_one_named_error(servers, right, name, fault):
    servers[0].heal()
    hasty, patient = _gateway(servers[:1]), _gateway(servers[:1], PATIENT_SECONDS)
    patient.head()
    gateway = hasty if fault in (Fault.SILENT, Fault.SLOW, Fault.SLOW_HEAD) else patient
    servers[0].fail(fault, times=1)
    with pytest.raises((ChainUnavailableError, AnswerUnreadableError)) as failed:
        QUESTIONS[name](gateway)
    assert failed.value.retryable
    assert QUESTIONS[name](patient) == right[name]


@pytest.mark.parametrize("fault", [Fault.SLOW, Fault.SLOW_HEAD])
def test_an_answer_that_drips_is_given_up_in_time(servers, fault):
    servers[0].heal()
    gateway = _gateway(servers[:1], 0.5)
    # A header of 1,500 bytes would drip for more than a minute.
    servers[0].fail(fault, times=1, method="eth_getBlockByNumber")
    started = time.monotonic()
    with pytest.raises(ChainTimeoutError):
        gateway.head()
    assert time.monotonic() - started < 10


_MEMBERS = ["number", "hash", "timestamp", "status", "logs", "address", "topics", "data", "blockNumber", "logIndex"]
# What a broken or lying node may put where an answer belongs.
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 2**70) | st.text(max_size=8) | st.sampled_from(["0x", "0x1", "0xzz"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_MEMBERS), inner, max_size=4),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(result=ODD, name=st.sampled_from(sorted(QUESTIONS)))
def test_a_result_of_any_shape_is_an_error_and_no_crash(broken, name, result):
    """An empty list of events and an absent receipt are answers; everything else that has not its form is refused."""
    node, gateway = broken
    for method in ("eth_getBlockByNumber", "eth_getLogs", "eth_getTransactionReceipt", "eth_getTransactionCount"):
        node.methods[method] = lambda *_: result
    found = _outcome(gateway, name)
    if isinstance(found, ChainError):
        assert isinstance(found, (AnswerUnreadableError, BlockNotFoundError, ChainUnavailableError, ChainBehindError))


@pytest.fixture(scope="module")
def broken():
    """A node with nothing on its chain, and a gateway before it."""
    node = Node()
    with serve(node) as server:
        yield node, Gateway([server.url], chain_id=CHAIN_ID, artifacts=ARTIFACTS, timeout_seconds=2)


def test_an_answer_to_another_question_is_not_taken(servers):
    servers[0].heal()
    gateway = _gateway(servers[:1], PATIENT_SECONDS)
    gateway.head()
    before = servers[0].respond
    servers[0].respond = lambda node, request: _renumbered(before(node, request))
    try:
        with pytest.raises(AnswerUnreadableError):
            gateway.head()
    finally:
        servers[0].respond = before


def _renumbered(reply):
    body = reply.body.replace(b'"id": ', b'"id": 9')
    return type(reply)(reply.status, body, reply.content_type)


@pytest.mark.parametrize(
    ("method", "name"),
    [("eth_getBlockByNumber", "block"), ("eth_getTransactionReceipt", "receipt"), ("eth_getLogs", "logs")],
)
def test_an_answer_about_something_else_is_not_taken(method, name):
    """Well formed, and of another block or transaction than was asked for."""
    node = recorded_node()
    blocks, receipts = node.ledger.blocks, node.ledger.receipts
    other = {
        "eth_getBlockByNumber": blocks[17],
        "eth_getTransactionReceipt": next(found for key, found in receipts.items() if key != "0x" + MINED.hex()),
        "eth_getLogs": [log | {"blockNumber": "0x1000"} for log in node.ledger.logs(6, 6)],
    }
    with serve(node) as server:
        gateway = _gateway([server], PATIENT_SECONDS)
        gateway.head()
        head = node.methods["eth_getBlockByNumber"]
        node.methods[method] = lambda *asked: head(*asked) if asked[0] == "latest" else other[method]
        with pytest.raises(AnswerUnreadableError):
            QUESTIONS[name](gateway)
