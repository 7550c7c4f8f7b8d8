"""The operations port over a real web socket: its token, its answers, and a port that does not behave."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from contracts.errors import (
    ChainAccessRefusedError,
    ChainInternalError,
    ChainRequestError,
    ChainTimeoutError,
    ChainUnavailableError,
)
from contracts.network.operations_port import OperationsPort
from contracts.network.peers import permitted_nodes, read_peers
from tests.unit.contracts.network.nodes import NOT_ENABLED, RECORDED, lines

PERM = {row["label"]: row["response"] for row in lines("perm.jsonl")}
Answer = Callable[[ServerConnection, dict[str, Any]], None]


@contextmanager
def port(answer: Answer, *, token: str = "") -> Iterator[str]:
    def talk(connection: ServerConnection) -> None:
        for message in connection:
            answer(connection, json.loads(message))

    def admit(connection: ServerConnection, request: Any) -> Any:
        if token and request.headers.get("Authorization") != f"Bearer {token}":
            return connection.respond(HTTPStatus.UNAUTHORIZED, "")
        return None

    with serve(talk, "127.0.0.1", 0, process_request=admit) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
        server.shutdown()
        thread.join()


def with_result(result: Any) -> Answer:
    def answer(connection: ServerConnection, request: dict[str, Any]) -> None:
        connection.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}))

    return answer


def test_recorded_peers_and_permissions_come_over_it():
    with port(with_result(RECORDED["peers"]["result"])) as url:
        assert len(read_peers(OperationsPort(url))) == 4
    with port(with_result(PERM["nodes after additions"]["result"])) as url:
        assert len(permitted_nodes(OperationsPort(url))) == 2


def test_a_token_is_read_anew_for_each_question(tmp_path: Path):
    file = tmp_path / "token"
    with port(with_result(True), token="second") as url:
        asking = OperationsPort(url, token_file=file)
        file.write_text("first\n")
        with pytest.raises(ChainAccessRefusedError, match="HTTP 401"):
            asking.ask("admin_peers")
        file.write_text("second\n")
        assert asking.ask("admin_peers") is True


def test_a_token_that_cannot_be_read_is_told(tmp_path: Path):
    with pytest.raises(ChainAccessRefusedError, match="CHAIN_OPERATIONS_TOKEN_FILE"):
        OperationsPort("ws://127.0.0.1:9", token_file=tmp_path / "missing").ask("admin_peers")


def test_what_comes_before_the_answer_is_passed_over():
    def answer(connection: ServerConnection, request: dict[str, Any]) -> None:
        connection.send(json.dumps({"jsonrpc": "2.0", "method": "eth_subscription", "params": {}}))
        connection.send(json.dumps({"jsonrpc": "2.0", "id": 7, "result": "another's"}))
        with_result("ours")(connection, request)

    with port(answer) as url:
        assert OperationsPort(url).ask("net_enode") == "ours"


def test_a_refusal_of_the_node_is_one_of_the_family():
    def answer(connection: ServerConnection, request: dict[str, Any]) -> None:
        connection.send(json.dumps({"jsonrpc": "2.0", "id": request["id"], "error": NOT_ENABLED}))

    with port(answer) as url, pytest.raises(ChainRequestError, match="not enabled"):
        OperationsPort(url).ask("admin_peers")


@pytest.mark.parametrize("said", ["rubbish", "[]", "null"])
def test_rubbish_is_told_as_such(said):
    with port(lambda connection, _: connection.send(said)) as url, pytest.raises(ChainInternalError, match="no JSON"):
        OperationsPort(url).ask("admin_peers")


def test_a_port_that_is_silent_is_given_up():
    with port(lambda *_: None) as url, pytest.raises(ChainTimeoutError):
        OperationsPort(url, timeout_seconds=0.2).ask("admin_peers")


def test_a_port_that_hangs_up_or_is_not_there_is_unavailable():
    with port(lambda connection, _: connection.close()) as url:
        with pytest.raises(ChainUnavailableError):
            OperationsPort(url).ask("admin_peers")
        gone = url
    with pytest.raises(ChainUnavailableError, match="cannot be reached"):
        OperationsPort(gone).ask("admin_peers")


@pytest.mark.parametrize("url", ["http://127.0.0.1:8545", "ws://10.0.0.1:8546", "127.0.0.1:8546"])
def test_a_token_never_leaves_the_machine_in_the_clear(url):
    with pytest.raises(ChainRequestError, match="no operations port"):
        OperationsPort(url)
