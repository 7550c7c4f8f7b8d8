"""A platform's side of the agent's channel, in memory, as an ASGI application."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from consortium.kernel.digests import keccak256
from consortium.kernel.eip712 import AGENT_DOMAIN, Domain, typed_hash
from consortium.kernel.identifiers import from_hex
from consortium.kernel.secp256k1 import recover
from tests.unit.agent.worlds import ADDRESSES, CHAIN_ID, CONSORTIUM, DECISION, HOSPITAL, PROPOSAL, SUBJECT, word

PREFIX = "/api/v1/agent"
ADMISSION = "11111111-1111-4111-8111-111111111111"
PLAN = "22222222-2222-4222-8222-222222222222"
Handler = Callable[[Request], Awaitable[Response]]


@dataclass
class PlatformInMemory:
    """What it hands out can be set, what it got can be looked at."""

    site_key: str = ""
    sessions: int = 0
    valid_token: str = ""
    status: int = 0
    work: list[dict[str, Any]] = field(default_factory=list)
    polls: int = 0
    beat_status: int = 200
    result_status: int = 200
    beats: int = 0
    results: list[Any] = field(default_factory=list)
    refusals: list[dict[str, str]] = field(default_factory=list)
    ballots: list[dict[str, Any]] = field(default_factory=lambda: [admission(), plan()])
    consortia: list[dict[str, Any]] = field(default_factory=lambda: [consortium()])
    blobs: dict[str, bytes] = field(default_factory=dict)
    posts: list[tuple[str, dict[str, Any], str]] = field(default_factory=list)
    post_status: int = 202
    on_post: Callable[[str, dict[str, Any]], None] = lambda _path, _body: None

    def application(self) -> Starlette:
        routes = [
            Route(f"{PREFIX}/session", self._session, methods=["POST"]),
            Route(f"{PREFIX}/consortia", self._inside(self._consortia)),
            Route(f"{PREFIX}/work", self._inside(self._work)),
            Route(f"{PREFIX}/work/{{id}}/beat", self._inside(self._beat), methods=["POST"]),
            Route(f"{PREFIX}/work/{{id}}/result", self._inside(self._result), methods=["POST"]),
            Route(f"{PREFIX}/work/{{id}}/refusal", self._inside(self._refusal), methods=["POST"]),
            Route(f"{PREFIX}/blobs/{{digest}}", self._inside(self._blob)),
            Route(f"{PREFIX}/ballots", self._inside(self._ballots)),
            Route(f"{PREFIX}/ballots/{{proposal}}", self._inside(self._post), methods=["POST"]),
            Route(f"{PREFIX}/proposals", self._inside(self._post), methods=["POST"]),
            Route(f"{PREFIX}/keys/rotations", self._inside(self._post), methods=["POST"]),
        ]
        return Starlette(routes=routes)

    def _inside(self, handler: Handler) -> Handler:
        async def door(request: Request) -> Response:
            if self.status:
                return JSONResponse({"code": "out_of_order"}, self.status)
            if not self.valid_token or request.headers.get("authorization") != f"Bearer {self.valid_token}":
                return JSONResponse({"code": "unauthenticated"}, 401)
            return await handler(request)

        return door

    async def _session(self, request: Request) -> Response:
        if self.status:
            return JSONResponse({}, self.status)
        body = await request.json()
        message = {
            "organization": word(HOSPITAL),
            "method_path": keccak256(f"POST {PREFIX}/session".encode()),
            "body": bytes(32),
            "time": body["time"],
            "nonce": from_hex(body["nonce"], size_bytes=32),
        }
        digest = typed_hash(Domain(AGENT_DOMAIN, CHAIN_ID), "AgentRequest", message)
        if body["organization"] != str(HOSPITAL) or recover(digest, from_hex(body["signature"])) != body["site_key"]:
            return JSONResponse({"code": "bad_signature"}, 403)
        self.sessions += 1
        self.site_key, self.valid_token = body["site_key"], f"token-{self.sessions}"
        expires = datetime.now(UTC) + timedelta(hours=1)
        return JSONResponse({"token": self.valid_token, "expires_at": expires.isoformat()})

    async def _consortia(self, _request: Request) -> Response:
        return JSONResponse({"results": self.consortia})

    async def _work(self, _request: Request) -> Response:
        self.polls += 1
        if self.work:
            return JSONResponse(self.work.pop(0))
        await asyncio.sleep(0.01)
        return Response(status_code=204)

    async def _beat(self, _request: Request) -> Response:
        self.beats += 1
        return Response(status_code=self.beat_status)

    async def _result(self, request: Request) -> Response:
        body = await request.body()
        is_json = request.headers["content-type"] == "application/json"
        self.results.append(json.loads(body) if is_json else body)
        return Response(status_code=self.result_status)

    async def _refusal(self, request: Request) -> Response:
        self.refusals.append(await request.json())
        return Response(status_code=200)

    async def _blob(self, request: Request) -> Response:
        content = self.blobs.get(request.path_params["digest"])
        return Response(content) if content is not None else JSONResponse({"code": "not_found"}, 404)

    async def _ballots(self, _request: Request) -> Response:
        return JSONResponse({"results": self.ballots})

    async def _post(self, request: Request) -> Response:
        path, body = request.url.path, await request.json()
        self.posts.append((path, body, request.headers["idempotency-key"]))
        await asyncio.to_thread(self.on_post, path, body)
        return JSONResponse({"code": "ballot_closed"}, self.post_status)


def consortium() -> dict[str, Any]:
    names = {"id": str(CONSORTIUM), "name": "Arizona Cardiac", "status": "active", "policy_digest": None}
    return names | {"chain_id": CHAIN_ID, "contracts": ADDRESSES}


def admission(**changes: Any) -> dict[str, Any]:
    base = {"proposal": ADMISSION, "consortium": str(CONSORTIUM), "contract": "ConsortiumGovernor"}
    about = {"proposal_id": str(PROPOSAL), "kind": "Admit", "subject": None, "title": "Please let us in"}
    return base | about | {"closes_at": "2026-11-24T00:00:00Z"} | changes


def plan(**changes: Any) -> dict[str, Any]:
    base = {"proposal": PLAN, "consortium": str(CONSORTIUM), "contract": "DecisionBoard"}
    about = {"proposal_id": "0x" + DECISION.hex(), "kind": "approve_plan", "subject": "0x" + SUBJECT.hex()}
    return base | about | {"title": "A plan", "closes_at": "2026-11-24T00:00:00Z"} | changes


def piece(kind: str = "ping", **changes: Any) -> dict[str, Any]:
    deadline = datetime.now(UTC) + timedelta(hours=1)
    work = {"id": "work-1", "kind": kind, "consortium": str(CONSORTIUM), "fence": 1, "payload": {}}
    return work | {"deadline": deadline.isoformat()} | changes
