"""One node's HTTP address: a request goes out, an answer comes back whole and in time, or a named error."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.auth import AuthBase

from contracts.errors import (
    AnswerUnreadableError,
    ChainAccessRefusedError,
    ChainInternalError,
    ChainTimeoutError,
    ChainUnavailableError,
)
from contracts.rpc.deadlines import limited_session
from contracts.rpc.tokens import NoToken, TokenSource

# A node beside us accepts within milliseconds; one far away within a second.
CONNECT_SECONDS = 3.0
# Besu takes requests of 128 MiB; no answer of ours is near that.
MAX_ANSWER_BYTES = 128 * 2**20
_CHUNK_BYTES = 65_536


@dataclass(frozen=True)
class Timeouts:
    """Longest waits in seconds: for a connection, and for a whole answer from its first byte asked to its last."""

    connect: float = CONNECT_SECONDS
    answer: float = 10.0


@dataclass(frozen=True)
class _Reply:
    status: int
    body: bytes

    @property
    def is_unauthorized(self) -> bool:
        """Whether the token was refused: by the status or, for items of a batch, in HTTP 200."""
        return self.status == 401 or (self.body.startswith(b"[") and b"-40100" in self.body)

    @property
    def holds_refusal(self) -> bool:
        """Whether the node says in JSON-RPC what is wrong with the request, as Besu does with HTTP 400."""
        return self.status == 400 and b'"error"' in self.body


class NodeAddress:
    """Posts to one node, with a session of its own for each thread."""

    def __init__(self, url: str, *, timeouts: Timeouts | None = None, tokens: TokenSource | None = None) -> None:
        self._url = url
        self._timeouts = timeouts or Timeouts()
        self._tokens = tokens or NoToken()
        self._local = threading.local()

    @property
    def name(self) -> str:
        """Host and port: an address may hold a password, which belongs in no log."""
        parts = urlsplit(self._url)
        return parts.hostname + (f":{parts.port}" if parts.port else "") if parts.hostname else "the node"

    def post(self, body: bytes, what: str, *, timeouts: Timeouts | None = None) -> bytes:
        """Send a body and return the answer's; `what` names the question in errors.

        A refused token is renewed once and the body sent again: all that we send means the same twice.

        Raises
        ------
        ChainUnavailableError, ChainTimeoutError
            If there is no connection, or no whole answer in time.
        ChainAccessRefusedError
            If token or host name are refused.
        AnswerUnreadableError
            If the connection was cut within the answer.
        """
        waits = timeouts or self._timeouts
        reply = self._send(body, what, waits)
        if reply.is_unauthorized and self._tokens.renew():
            reply = self._send(body, what, waits)
        if reply.status == 200 or reply.holds_refusal:
            return reply.body
        raise _refused(reply, what)

    def _send(self, body: bytes, what: str, waits: Timeouts) -> _Reply:
        deadline = time.monotonic() + waits.answer
        try:
            with self._session().post(
                self._url,
                data=body,
                headers={"Content-Type": "application/json"},
                auth=_Bearer(self._tokens.token),
                timeout=(waits.connect, waits.answer),
                # A token goes to the address it was meant for, and nowhere else.
                allow_redirects=False,
                stream=True,
            ) as response:
                return _Reply(response.status_code, _whole(response, deadline, what))
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
            raise _too_slow(what) from error
        except requests.exceptions.InvalidURL as error:
            raise ChainUnavailableError("A node's address is no URL. Correct CHAIN_RPC_URL.") from error
        except requests.RequestException as error:
            if time.monotonic() > deadline:
                raise _too_slow(what) from error
            raise ChainUnavailableError("The node cannot be reached. Start it, or correct CHAIN_RPC_URL.") from error
        except urllib3.exceptions.HTTPError as error:
            raise AnswerUnreadableError(f"The node's answer to {what} was cut. Ask again.") from error

    def _session(self) -> requests.Session:
        if (session := getattr(self._local, "session", None)) is None:
            session = self._local.session = limited_session()
        return session


class _Bearer(AuthBase):
    """Puts the token into the request; also where there is none, so that no .netrc is looked for."""

    def __init__(self, token: Callable[[], str | None]) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if (token := self._token()) is not None:
            request.headers["Authorization"] = f"Bearer {token}"
        return request


def _whole(response: requests.Response, deadline: float, what: str) -> bytes:
    """The body, read as it comes, so that one that never ends is given up."""
    raw: Any = response.raw
    parts: list[bytes] = []
    size = 0
    while chunk := raw.read1(_CHUNK_BYTES, decode_content=True):
        parts.append(chunk)
        size += len(chunk)
        if time.monotonic() > deadline:
            raise _too_slow(what)
        if size > MAX_ANSWER_BYTES:
            raise AnswerUnreadableError(f"The node's answer to {what} has no end. Is this a node's address?")
    return b"".join(parts)


def _too_slow(what: str) -> ChainTimeoutError:
    return ChainTimeoutError(f"The node did not answer {what} in time. Is it up, and its disk well?")


def _refused(reply: _Reply, what: str) -> Exception:
    if reply.status in (401, 403):
        return ChainAccessRefusedError(
            f"The node refused {what} (HTTP {reply.status}). Check CHAIN_RPC_TOKEN_FILE or CHAIN_RPC_JWT_KEY_FILE, "
            "and --host-allowlist for this host name."
        )
    if reply.status >= 500 or reply.status == 429:
        return ChainUnavailableError(f"The node failed to answer {what} (HTTP {reply.status}). Try again.")
    return ChainInternalError(f"The node refused {what} (HTTP {reply.status}). Is this a node's address?")
