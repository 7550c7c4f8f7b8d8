"""The gateway against recorded answers of a real QBFT network, and against nodes that do not answer well."""

import itertools
import json
import socket
from collections.abc import Iterator

import pytest

from contracts.artifacts import Artifacts
from contracts.errors import (
    BlockNotFoundError,
    ChainAccessRefusedError,
    ChainInternalError,
    ChainTimeoutError,
    ChainUnavailableError,
    RangeTooLargeError,
    TransactionRevertedError,
    WrongChainError,
)
from contracts.events import ContractReference
from contracts.gateway import Gateway
from contracts.network.headers import sealed_header
from contracts.rpc import log_windows
from tests.besu.exchange import Reply
from tests.besu.faults import Fault
from tests.besu.recordings import CHAIN_ID, DATA, row
from tests.besu.refusals import Refusal, internal_error
from tests.besu.replay import recorded_node
from tests.besu.server import Server, serve

RECORDER = ContractReference("Recorder", "0x221EDC9c97365E06dA77B157cEfa535E04efA52D")
SOURCE = ContractReference("ValidatorSource", "0x0000000000000000000000000000000000007777")
ARTIFACTS = Artifacts([DATA / "contracts"])


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(recorded_node(until=20)) as found:
        yield found


@pytest.fixture
def gateway(server: Server) -> Gateway:
    return Gateway([server.url], chain_id=CHAIN_ID, artifacts=ARTIFACTS, timeout_seconds=5)


def _windows(server: Server) -> list[tuple[int, int]]:
    """The windows of events that the server was asked for."""
    asked = [json.loads(request.body) for request in server.requests]
    found = [body["params"][0] for body in asked if body["method"] == "eth_getLogs"]
    return [(int(window["fromBlock"], 16), int(window["toBlock"], 16)) for window in found]


def test_headers_with_seals_in_their_extra_data_are_read(gateway, server):
    head = gateway.head()
    assert head.number == 20
    newest = server.node.ledger.blocks[20]
    assert "0x" + head.hash.hex() == newest["hash"]
    assert head.time == int(newest["timestamp"], 16)
    assert gateway.block(21) is None


def test_a_question_of_the_node_itself_is_answered_as_json_has_it(gateway, server):
    found = gateway.ask("eth_getBlockByNumber", ["latest", False])
    newest = server.node.ledger.blocks[20]
    assert found["extraData"] == newest["extraData"]
    assert sealed_header(found).proposer == newest["miner"]
    assert gateway.ask("eth_chainId") == hex(CHAIN_ID)


@pytest.mark.parametrize("written_times", [True, False])
def test_events_of_every_shape_are_read_with_their_place(gateway, server, written_times):
    if not written_times:
        for log in server.node.ledger.logs(0, 20):
            del log["blockTimestamp"]
    events = gateway.logs([RECORDER, SOURCE], 0, 20)

    places = [(e.name, e.block_number, e.log_index, e.transaction_log_index) for e in events]
    assert places == [
        ("Recorded", 6, 0, 0),
        ("Recorded", 6, 1, 0),
        ("Recorded", 6, 2, 0),
        ("Named", 16, 0, 0),
        ("Flagged", 16, 1, 1),
        ("ValidatorsReplaced", 20, 0, 0),
    ]
    assert len({event.transaction_hash for event in events[:3]}) == 3
    blocks = server.node.ledger.blocks
    assert all(event.block_time == int(blocks[event.block_number]["timestamp"], 16) for event in events)
    named = events[3].arguments
    assert len(named["name"]) == 32
    assert isinstance(named["data"], bytes)
    assert all(isinstance(number, int) for number in named["numbers"])


def test_the_place_in_a_transaction_is_right_where_others_stand_before_it(gateway, server):
    """Asked for one contract's events alone, a neighbor's logs are not seen: then the receipt tells."""
    server.node.ledger.logs(16, 16)[0]["address"] = SOURCE.address.lower()

    events = gateway.logs([RECORDER], 16, 16)
    assert [(event.name, event.log_index, event.transaction_log_index) for event in events] == [("Flagged", 1, 1)]
    assert server.methods.count("eth_getTransactionReceipt") == 1


def test_a_range_that_is_too_large_is_halved_until_it_fits(gateway, server):
    server.node.max_logs_range = 4
    events = gateway.logs([RECORDER, SOURCE], 0, 20)

    assert len(events) == 6
    windows = [(first, last) for first, last in _windows(server) if last - first <= 4]
    assert (windows[0][0], windows[-1][1]) == (0, 20)
    assert all(before[1] + 1 == after[0] for before, after in itertools.pairwise(windows))


def test_windows_have_at_most_five_thousand_blocks(monkeypatch):
    asked = []

    def ask(method, parameters):
        asked.append((int(parameters[0]["fromBlock"], 16), int(parameters[0]["toBlock"], 16)))
        return []

    assert log_windows.read_logs(ask, ARTIFACTS, [RECORDER], 1, 12_000) == []
    assert asked == [(1, 5_000), (5_001, 10_000), (10_001, 12_000)]


def test_a_node_that_gives_no_single_block_is_an_error_and_no_endless_loop():
    def ask(method, parameters):
        raise RangeTooLargeError("no")

    with pytest.raises(RangeTooLargeError):
        log_windows.read_logs(ask, ARTIFACTS, [RECORDER], 1, 4_000)


def test_a_window_above_the_nodes_head_is_clamped(gateway, server):
    assert gateway.logs([RECORDER], 21, 30) == []
    assert len(gateway.logs([SOURCE], 20, 30)) == 1
    assert _windows(server) == [(20, 20)]


def test_a_custom_refusal_is_decoded_and_a_future_block_is_named(gateway, server):
    server.node.ledger.views[RECORDER.address.lower()] = _refuse
    with pytest.raises(TransactionRevertedError) as refusal:
        gateway.call(RECORDER, "total")
    assert refusal.value.error == "Refused"
    assert refusal.value.arguments["code"] == 7
    assert refusal.value.arguments["why"] == "not on the list"
    with pytest.raises(BlockNotFoundError):
        gateway.call(RECORDER, "total", block=99)


def _refuse(data: bytes, height: int) -> str:
    """The recorded refusal by an error of the contract's own."""
    error = row("rpc", "eth_call failCustom").response["error"]
    raise Refusal(error["code"], error["message"], data=error["data"])


def test_a_failed_creation_has_no_address_and_a_refusal_its_reason(gateway, server):
    """Besu fills contractAddress in even when nothing was created."""
    receipts = server.node.ledger.receipts.values()
    failed = [r for r in receipts if r["status"] == "0x0" and r["contractAddress"]]
    assert len(failed) == 3
    for found in failed:
        receipt = gateway.receipt(bytes.fromhex(found["transactionHash"][2:]))
        assert (receipt.succeeded, receipt.contract_address) == (False, None)

    reasons = {
        gateway.receipt(bytes.fromhex(found["transactionHash"][2:])).revert_reason[:4].hex()
        for found in receipts
        if found.get("revertReason")
    }
    assert reasons == {"08c379a0", "4e487b71", "723b2b30", ""}


def test_another_chain_is_refused_before_its_answers_are_used(server):
    with pytest.raises(WrongChainError, match="20261"):
        Gateway([server.url], chain_id=1, artifacts=ARTIFACTS).head()
    assert server.methods == ["eth_chainId"]


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (401, ChainAccessRefusedError),
        (403, ChainAccessRefusedError),
        (404, ChainInternalError),
        (502, ChainUnavailableError),
    ],
)
def test_http_refusals_are_named(gateway, server, status, kind):
    server.respond = lambda node, request: Reply(status, b"no")
    with pytest.raises(kind):
        gateway.head()


def test_an_unknown_fault_of_the_node_may_pass(gateway, server):
    def fail(*parameters):
        raise internal_error()

    server.node.methods["eth_getBlockByNumber"] = fail
    with pytest.raises(ChainInternalError) as fault:
        gateway.head()
    assert fault.value.retryable


def test_a_node_that_is_silent_times_out_and_one_that_is_gone_is_unavailable():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ChainTimeoutError):
            Gateway([url], chain_id=CHAIN_ID, timeout_seconds=0.1).head()
    with pytest.raises(ChainUnavailableError):
        Gateway([url], chain_id=CHAIN_ID, timeout_seconds=0.5).head()


def test_an_answer_that_is_no_json_rpc_is_named(gateway, server):
    server.fail(Fault.OTHER_JSON)
    with pytest.raises(ChainInternalError, match="JSON-RPC"):
        gateway.head()


def test_without_a_node_the_remedy_is_named():
    with pytest.raises(ChainUnavailableError, match="CHAIN_RPC_URL"):
        Gateway([], chain_id=CHAIN_ID)
