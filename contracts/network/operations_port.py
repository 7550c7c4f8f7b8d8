"""A node's second port: the web socket on its own machine where ADMIN and PERM answer.

The gateway is for what every program may ask; this is for who runs the node. One connection a question:
such questions are rare, and a node that was restarted in between is no case of its own.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.exceptions import InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection, connect

from contracts.errors import (
    ChainAccessRefusedError,
    ChainInternalError,
    ChainRequestError,
    ChainTimeoutError,
    ChainUnavailableError,
)
from contracts.rpc.answers import error_from_answer

# A list of a hundred peers has about 60 kB.
MAX_ANSWER_BYTES = 4 * 2**20
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class OperationsPort:
    """Asks a node's web socket.

    Parameters
    ----------
    url : ws address
        On loopback; elsewhere it must be wss, since a token goes with it that may change who connects.
    token_file : Path, optional
        A bearer token, read anew for each question, so that whoever renews it restarts nothing.
    timeout_seconds : float
        Longest wait for a connection, and for an answer.

    Raises
    ------
    ChainRequestError
        If the address cannot be used.
    """

    def __init__(self, url: str, *, token_file: Path | None = None, timeout_seconds: float = 5.0) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"ws", "wss"} or (parts.scheme == "ws" and parts.hostname not in _LOOPBACK):
            raise ChainRequestError(
                f"{url} is no operations port: it is ws:// on this machine, or wss:// elsewhere. Correct the address."
            )
        self._url = url
        self._token_file = token_file
        self._timeout = timeout_seconds

    def ask(self, method: str, parameters: Sequence[Any] = ()) -> Any:
        """The node's answer.

        Raises
        ------
        ChainError
            One of the family: what the node refused, or that it does not answer.
        """
        request = {"jsonrpc": "2.0", "id": 1, "method": method, "params": list(parameters)}
        try:
            with connect(self._url, **self._options()) as connection:
                connection.send(json.dumps(request))
                return self._answer(method, connection)
        except TimeoutError as error:
            raise ChainTimeoutError(f"The node's operations port did not answer {method} in time.") from error
        except InvalidStatus as error:
            raise _refused(method, error.response.status_code) from error
        except (OSError, WebSocketException) as error:
            raise ChainUnavailableError(
                "The node's operations port cannot be reached. Is --rpc-ws-enabled set, and is this its machine?"
            ) from error

    def _options(self) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._token()}"} if self._token_file else {}
        limits = {"open_timeout": self._timeout, "close_timeout": 1, "max_size": MAX_ANSWER_BYTES}
        # A proxy of the environment is not for this machine.
        return {"additional_headers": headers, "proxy": None, **limits}

    def _token(self) -> str:
        try:
            return self._token_file.read_text().strip() if self._token_file else ""
        except OSError as error:
            raise ChainAccessRefusedError(
                f"The token for the operations port cannot be read: {error.strerror}. "
                "Correct CHAIN_OPERATIONS_TOKEN_FILE, or the file's rights."
            ) from error

    def _answer(self, method: str, connection: ClientConnection) -> Any:
        """The answer to our question: notifications and what else may come before it are passed over."""
        while True:
            try:
                found = json.loads(connection.recv(timeout=self._timeout))
            except ValueError as error:
                raise ChainInternalError(f"The operations port's answer to {method} is no JSON-RPC.") from error
            if not isinstance(found, dict):
                raise ChainInternalError(f"The operations port's answer to {method} is no JSON-RPC.")
            if isinstance(found.get("error"), dict):
                raise error_from_answer(method, found["error"])
            if found.get("id") == 1:
                return found.get("result")


def _refused(method: str, status: int) -> ChainAccessRefusedError | ChainUnavailableError:
    if status in (401, 403):
        return ChainAccessRefusedError(
            f"The operations port refused {method} (HTTP {status}). Check the token, and --host-allowlist."
        )
    return ChainUnavailableError(f"The operations port failed to answer {method} (HTTP {status}).")
