"""The agent's side of its channel to the platform: outward only, every request with a time-out."""

import asyncio
import hashlib
import secrets
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

import httpx

from agent import problems
from agent.clock import Clock, now
from agent.errors import ContradictionError, PlatformAwayError
from agent.policy import SigningRequest
from agent.signer import Signer
from consortium.kernel.digests import digest_to_bytes32, keccak256
from consortium.kernel.eip712 import AGENT_DOMAIN, Domain
from consortium.kernel.identifiers import to_hex, uuid_to_bytes32

PREFIX = "/api/v1/agent"
SESSION_PATH = f"{PREFIX}/session"
POLL_SECONDS = 20
TIMEOUT_SECONDS = 10.0
# Four times as many as a network has validators at most.
MAX_NODES = 256
MAX_BLOB_BYTES = 256 * 1024 * 1024
# A token is renewed before it can expire on its way.
_RENEWAL_MARGIN = timedelta(seconds=30)
# While the platform is away the site signs one request in this time, not one a try.
_UNSENT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class OfferedConsortium:
    """A consortium as the platform names it; addresses are the platform's word until they are checked.

    `nodes` are enodes of members' nodes, in whatever spelling they were given.
    """

    id: uuid.UUID
    name: str
    chain_id: int
    contracts: Mapping[str, str]
    status: str
    nodes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OfferedBallot:
    """A ballot that the platform says is waiting; only `proposal` and where to look are taken from it."""

    proposal: uuid.UUID
    consortium: uuid.UUID
    contract: str
    proposal_id: str
    kind: str
    subject: str
    title: str
    document_digest: str


@dataclass(frozen=True, slots=True)
class OfferedWork:
    """A piece of work that the platform hands out to this site."""

    id: str
    kind: str
    consortium: uuid.UUID
    fence: int
    deadline: datetime
    payload: Mapping[str, Any]


class PlatformClient:
    """Asks the platform as this site, by a session that the site key opened."""

    def __init__(
        self,
        *,
        base_url: str,
        organization: uuid.UUID,
        chain_id: int,
        signer: Signer,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock = now,
    ) -> None:
        self._http = httpx.AsyncClient(base_url=base_url, transport=transport, timeout=TIMEOUT_SECONDS, trust_env=False)
        self._organization = organization
        self._domain = Domain(AGENT_DOMAIN, chain_id)
        self._signer = signer
        self._clock = clock
        self._token = ""
        self._expires_at: datetime | None = None
        self._unsent: dict[str, Any] | None = None
        self._renewal = asyncio.Lock()

    async def __aenter__(self) -> "PlatformClient":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def consortia(self) -> list[OfferedConsortium]:
        """Return the consortia of this member with their contracts."""
        answer = await self._ask("GET", f"{PREFIX}/consortia", 200)
        return [_consortium(item) for item in problems.read_results(answer)]

    async def ballots(self) -> list[OfferedBallot]:
        """Return the ballots that wait for this member."""
        answer = await self._ask("GET", f"{PREFIX}/ballots", 200)
        return [_ballot(item) for item in problems.read_results(answer)]

    async def vetoes(self) -> list[OfferedBallot]:
        """Return the acts that wait and that this member, a guardian, may veto."""
        answer = await self._ask("GET", f"{PREFIX}/vetoes", 200)
        return [_ballot(item) for item in problems.read_results(answer)]

    async def work(self, in_hand: Collection[str] = ()) -> OfferedWork | None:
        """Wait at most 20 s for a piece of work that is not in hand already."""
        query = {"wait": str(POLL_SECONDS)} | ({"in_hand": ",".join(sorted(in_hand))} if in_hand else {})
        answer = await self._ask(
            "GET", f"{PREFIX}/work", 200, 204, params=query, timeout=POLL_SECONDS + TIMEOUT_SECONDS
        )
        return None if answer.status_code == 204 else _work(problems.read_object(answer))

    async def beat(self, work: str) -> bool:
        """Say that the work goes on; False if the platform wants it stopped."""
        answer = await self._ask("POST", f"{PREFIX}/work/{work}/beat", 200, 409, 410)
        return answer.status_code == 200

    async def result(self, work: str, result: Mapping[str, Any] | bytes) -> bool:
        """Hand over a result; False if the platform has one, or gave the work to another attempt."""
        form: dict[str, Any] = (
            {"content": result, "headers": {"Content-Type": "application/octet-stream"}}
            if isinstance(result, bytes)
            else {"json": dict(result)}
        )
        form["headers"] = form.get("headers", {}) | {"Idempotency-Key": f"result-{work}"}
        return (await self._ask("POST", f"{PREFIX}/work/{work}/result", 200, 409, **form)).status_code == 200

    async def refuse(self, work: str, code: str, message: str) -> bool:
        """Say that this site does not do the work, and why; False if nobody waits for it any more."""
        body = {"code": code, "message": message}
        headers = {"Idempotency-Key": f"refusal-{work}"}
        answer = await self._ask("POST", f"{PREFIX}/work/{work}/refusal", 200, 409, json=body, headers=headers)
        return answer.status_code == 200

    async def blob(self, digest: str, *, largest: int = MAX_BLOB_BYTES) -> bytes:
        """Return the bytes that have this digest.

        Raises
        ------
        ContradictionError
            If the platform sends other bytes.
        """
        expected = digest_to_bytes32(digest)
        for attempt in (1, 2):
            headers = {"Authorization": f"Bearer {await self._session(renew=attempt == 2)}"}
            status, content = await self._stream(f"{PREFIX}/blobs/{digest}", headers, largest)
            if status != 401:
                break
        problems.require_success(httpx.Response(status, content=content), 200)
        if hashlib.sha256(content).digest() != expected:
            raise ContradictionError(
                f"The platform sent other bytes than those of {digest}. Nothing was done with them."
            )
        return content

    async def get(self, path: str) -> httpx.Response:
        """Ask for something of ours below `PREFIX`."""
        return await self._ask("GET", path, 200)

    async def post(self, path: str, body: Mapping[str, Any], *, idempotency_key: str) -> None:
        """Hand over a signed message; the same key makes a repetition harmless."""
        headers = {"Idempotency-Key": idempotency_key}
        await self._ask("POST", path, 200, 201, 202, json=dict(body), headers=headers)

    async def _ask(self, method: str, path: str, *expected: int, **form: Any) -> httpx.Response:
        token = await self._session()
        answer = await self._send(method, path, token, form)
        if answer.status_code == 401:
            token = await self._session(renew=True, stale=token)
            answer = await self._send(method, path, token, form)
        return problems.require_success(answer, *expected)

    async def _send(self, method: str, path: str, token: str, form: Mapping[str, Any]) -> httpx.Response:
        headers = {**form.get("headers", {}), "Authorization": f"Bearer {token}"}
        try:
            return await self._http.request(method, path, **{**form, "headers": headers})
        except httpx.HTTPError as error:
            raise PlatformAwayError("The platform does not answer. It is tried again.") from error

    async def _stream(self, path: str, headers: Mapping[str, str], largest: int) -> tuple[int, bytes]:
        content = bytearray()
        try:
            async with self._http.stream("GET", path, headers=dict(headers)) as answer:
                async for piece in answer.aiter_bytes():
                    content += piece
                    if len(content) > largest:
                        raise PlatformAwayError(f"The platform sent more than {largest} bytes.")
                return answer.status_code, bytes(content)
        except httpx.HTTPError as error:
            raise PlatformAwayError("The platform does not answer. It is tried again.") from error

    async def _session(self, *, renew: bool = False, stale: str = "") -> str:
        """Return a token, opening a session if there is none; of several callers one renews."""
        async with self._renewal:
            expired = self._expires_at is None or self._clock() >= self._expires_at - _RENEWAL_MARGIN
            if expired or (renew and stale in ("", self._token)):
                await self._open_session()
            return self._token

    async def _open_session(self) -> None:
        try:
            # A key behind Web3Signer may take seconds, in which the loop serves others.
            request = await asyncio.to_thread(self._session_request)
            answer = await self._http.post(SESSION_PATH, json=request)
        except httpx.ConnectError as error:
            raise PlatformAwayError("The platform does not answer. It is tried again.") from error
        except httpx.HTTPError as error:
            self._unsent = None
            raise PlatformAwayError("The platform does not answer. It is tried again.") from error
        self._unsent = None
        granted = problems.read_object(problems.require_success(answer, 200))
        self._token, self._expires_at = problems.text(granted, "token"), problems.moment(granted, "expires_at")

    def _session_request(self) -> dict[str, Any]:
        """Return a signed request; one that never left the house is used again while it is young."""
        moment, nonce = int(self._clock().timestamp()), secrets.token_bytes(32)
        if self._unsent is not None and moment - int(self._unsent["time"]) < _UNSENT_SECONDS:
            return self._unsent
        message = {
            "organization": uuid_to_bytes32(self._organization),
            "method_path": keccak256(f"POST {SESSION_PATH}".encode()),
            "body": bytes(32),
            "time": moment,
            "nonce": nonce,
        }
        signed = self._signer.sign(SigningRequest("AgentRequest", self._domain, message))
        self._unsent = {
            "organization": str(self._organization),
            "site_key": signed.address,
            "time": moment,
            "nonce": to_hex(nonce),
            "signature": to_hex(signed.signature),
        }
        return self._unsent


def _consortium(item: Mapping[str, Any]) -> OfferedConsortium:
    contracts = item.get("contracts")
    if not isinstance(contracts, dict) or not all(type(value) is str for value in contracts.values()):
        raise PlatformAwayError("The platform's answer names no contracts.")
    identity = problems.identifier(item, "id")
    chain_id = problems.number(item, "chain_id")
    name, status = problems.text(item, "name"), problems.text(item, "status")
    return OfferedConsortium(identity, name, chain_id, contracts, status, _nodes(item))


def _nodes(item: Mapping[str, Any]) -> tuple[str, ...]:
    """Return where the members' nodes are, as far as the platform says so."""
    found = item.get("nodes", [])
    if not isinstance(found, list) or not all(type(one) is str for one in found):
        raise PlatformAwayError("The platform's answer names nodes that are no texts.")
    return tuple(found[:MAX_NODES])


def _ballot(item: Mapping[str, Any]) -> OfferedBallot:
    return OfferedBallot(
        proposal=problems.identifier(item, "proposal"),
        consortium=problems.identifier(item, "consortium"),
        contract=problems.text(item, "contract"),
        proposal_id=problems.text(item, "proposal_id", longest=80),
        kind=problems.text(item, "kind"),
        subject=problems.optional_text(item, "subject"),
        title=problems.optional_text(item, "title"),
        document_digest=problems.optional_text(item, "document_digest"),
    )


def _work(item: Mapping[str, Any]) -> OfferedWork:
    payload = item.get("payload")
    if not isinstance(payload, dict):
        raise PlatformAwayError("The platform's work has no payload.")
    return OfferedWork(
        id=problems.name(item, "id"),
        kind=problems.text(item, "kind"),
        consortium=problems.identifier(item, "consortium"),
        fence=problems.number(item, "fence"),
        deadline=problems.moment(item, "deadline"),
        payload=payload,
    )
