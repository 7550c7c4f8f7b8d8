"""New blocks heard of by a node's web socket; while there is none, the caller looks for himself."""

import contextlib
import json
import logging
import threading
from collections.abc import Iterator
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from contracts.errors import ChainAccessRefusedError
from contracts.rpc.tokens import NoToken, TokenSource

logger = logging.getLogger(__name__)

OPEN_SECONDS = 3.0
# Heads come each second, or each minute without transactions: silence beyond that may be a dead connection.
SILENCE_SECONDS = 90.0
FIRST_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 30.0
MAX_MESSAGE_BYTES = 2**22
_SUBSCRIBE = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_subscribe", "params": ["newHeads"]})


class HeadListener:
    """Hears `newHeads` in a thread of its own; a socket that fails is opened again after a growing pause.

    What it hears is a reason to look, and nothing more: no number or hash is taken from it.
    """

    def __init__(self, url: str, *, tokens: TokenSource | None = None) -> None:
        self._url = url
        self._tokens = tokens or NoToken()
        self._heard = threading.Event()
        self._stop = threading.Event()
        self._connection: ClientConnection | None = None
        self._is_listening = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heads", daemon=True)

    @property
    def is_listening(self) -> bool:
        """Whether a subscription stands, so that waiting for it makes sense."""
        return self._is_listening.is_set()

    def wait_until_listening(self, seconds: float) -> bool:
        return self._is_listening.wait(seconds)

    def wait(self, seconds: float) -> bool:
        """Wait for a block that was not told of yet, at most so long; False if none came, or the socket failed."""
        heard = self._heard.wait(seconds)
        self._heard.clear()
        return heard and self.is_listening

    def start(self) -> "HeadListener":
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        if (connection := self._connection) is not None:
            with contextlib.suppress(WebSocketException, OSError):
                connection.close()
        self._thread.join()

    def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while not self._stop.is_set():
            try:
                for _ in self._heads():
                    pause = FIRST_PAUSE_SECONDS
                    self._heard.set()
            except (WebSocketException, OSError, ValueError, KeyError, TypeError, ChainAccessRefusedError) as error:
                if not self._stop.is_set():
                    name = type(error).__name__
                    logger.warning("The node's web socket failed (%s); blocks are looked for meanwhile.", name)
            finally:
                self._is_listening.clear()
                # Whoever waits for the socket looks for himself now.
                self._heard.set()
            self._stop.wait(pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)

    def _heads(self) -> Iterator[None]:
        """One connection: a turn for each block that it tells of."""
        token = self._tokens.token()
        headers = {"Authorization": f"Bearer {token}"} if token is not None else None
        with connect(
            self._url,
            additional_headers=headers,
            open_timeout=OPEN_SECONDS,
            close_timeout=1,
            max_size=MAX_MESSAGE_BYTES,
            proxy=None,
        ) as connection:
            self._connection = connection
            connection.send(_SUBSCRIBE)
            subscription = _result(connection.recv(OPEN_SECONDS))
            self._is_listening.set()
            yield
            while not self._stop.is_set():
                message = json.loads(connection.recv(SILENCE_SECONDS))
                if message.get("params", {}).get("subscription") == subscription:
                    yield


def _result(text: str | bytes) -> Any:
    """The subscription's id; a refusal is an error of the connection."""
    answer = json.loads(text)
    if "result" not in answer:
        raise ValueError("The node does not take the subscription.")
    return answer["result"]
