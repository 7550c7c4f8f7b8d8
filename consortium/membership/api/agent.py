"""The channel to the agents: they open a session, pull work, and answer."""

import asyncio
import json
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from asgiref.sync import sync_to_async
from django.conf import settings
from django.db import close_old_connections, connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from consortium.common import blobs
from consortium.common.api import PROBLEM_TYPE, problem
from consortium.common.openapi import problems, results_of
from consortium.common.parsers import StrictJSONParser
from consortium.common.tenancy import act_for
from consortium.kernel.errors import ConsiliumError, InvalidInputError
from consortium.kernel.identifiers import from_hex
from consortium.membership import selectors
from consortium.membership.api.agent_authentication import CHALLENGE, AgentAuthentication, token_of
from consortium.membership.channel import work
from consortium.membership.channel.hub import IDS_PATTERN, LONGEST_WAIT_SECONDS, hub
from consortium.membership.channel.sessions import (
    SESSION_SECONDS,
    AgentIdentity,
    SessionRequest,
    open_session,
    read_token,
    require_known,
)
from consortium.membership.models import Membership

# An agent works at a few things at once; what it names beyond that is given out again.
MOST_IN_HAND = 16
# A vector of ten million 64-bit numbers, and room for its header.
LARGEST_ANSWER_BYTES = 81_000_000


class BytesParser(BaseParser):
    """Takes an answer as it is: masked vectors are not JSON."""

    media_type = "application/octet-stream"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        data: bytes = stream.read(LARGEST_ANSWER_BYTES + 1)
        if len(data) > LARGEST_ANSWER_BYTES:
            raise InvalidInputError("The answer is larger than any plan allows.")
        return data


class AgentView(APIView):
    """A request of an agent that has a session."""

    authentication_classes = [AgentAuthentication]
    permission_classes = [IsAuthenticated]

    @property
    def organization_id(self) -> UUID:
        organization: UUID = self.request.user.organization_id  # type: ignore[union-attr] # AgentIdentity
        return organization


class SessionView(APIView):
    """Open a session by a request signed with the site key."""

    authentication_classes: list[Any] = []
    permission_classes = [AllowAny]
    takes_key = False  # a signed request serves once: its nonce is remembered

    class SessionOpeningSerializer(serializers.Serializer[Any]):
        organization = serializers.UUIDField()
        site_key = serializers.RegexField(r"^0x[0-9a-fA-F]{40}$")
        time = serializers.IntegerField(min_value=0, max_value=2**53)
        nonce = serializers.RegexField(r"^0x[0-9a-fA-F]{64}$")
        signature = serializers.RegexField(r"^0x[0-9a-fA-F]{130}$")

    class SessionSerializer(serializers.Serializer[Any]):
        token = serializers.CharField()
        expires_at = serializers.DateTimeField()

    @extend_schema(request=SessionOpeningSerializer, responses={200: SessionSerializer} | problems(401))
    def post(self, request: Request) -> Response:
        form = self.SessionOpeningSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        given = form.validated_data
        token = open_session(
            SessionRequest(
                organization_id=given["organization"],
                site_key=given["site_key"],
                time=given["time"],
                nonce=from_hex(given["nonce"]),
                signature=from_hex(given["signature"]),
            ),
            chain_id=settings.CHAIN_ID,
        )
        expires_at = timezone.now() + timedelta(seconds=SESSION_SECONDS)
        return Response(self.SessionSerializer({"token": token, "expires_at": expires_at}).data)


class ConsortiaView(AgentView):
    """The consortia that the agent's organization belongs to or applies to."""

    class AgentsConsortiumSerializer(serializers.Serializer[Any]):
        id = serializers.UUIDField()
        name = serializers.CharField()
        chain_id = serializers.IntegerField()
        status = serializers.ChoiceField(Membership.Status.choices)
        policy_digest = serializers.CharField()
        contracts = serializers.DictField(child=serializers.CharField())
        nodes = serializers.ListField(child=serializers.CharField())

    @extend_schema(responses=results_of(AgentsConsortiumSerializer))
    def get(self, request: Request) -> Response:
        return Response({"results": selectors.consortia_for_agent(self.organization_id)})


class BlobView(AgentView):
    """Bytes by digest, of any consortium that the agent's organization belongs to."""

    @extend_schema(responses={(200, "application/octet-stream"): bytes})
    def get(self, request: Request, digest: str) -> HttpResponse:
        blob = blobs.find(digest=digest)
        return HttpResponse(bytes(blob.data), content_type=blob.media_type)


class BeatView(AgentView):
    """Say that work goes on; 410 means stop it."""

    takes_key = False  # a beat changes nothing but a time

    @extend_schema(request=None, responses={200: dict} | problems(409, 410))
    def post(self, request: Request, item: UUID) -> Response:
        work.beat(item, self.organization_id)
        return Response({})


class ResultView(AgentView):
    """Answer work, as JSON or as bytes."""

    takes_key = False  # the same answer again is welcome, another one is refused
    parser_classes = [StrictJSONParser, BytesParser]

    @extend_schema(
        request={"application/json": dict, "application/octet-stream": bytes},
        responses={200: dict} | problems(409, 410),
    )
    def post(self, request: Request, item: UUID) -> Response:
        if isinstance(request.data, bytes):
            work.answer(item, self.organization_id, result_bytes=request.data)
        elif not isinstance(request.data, dict):
            raise InvalidInputError("An answer in JSON is an object.")
        else:
            work.answer(item, self.organization_id, result=request.data)
        return Response({})


class RefusalView(AgentView):
    """Refuse work, with a code and a sentence that names the cause."""

    takes_key = False  # as an answer

    class WorkRefusalSerializer(serializers.Serializer[Any]):
        code = serializers.RegexField(r"^[a-z0-9_.]{1,80}$")
        message = serializers.CharField(max_length=500)

    @extend_schema(request=WorkRefusalSerializer, responses={200: dict} | problems(409, 410))
    def post(self, request: Request, item: UUID) -> Response:
        form = self.WorkRefusalSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        work.refuse(item, self.organization_id, code=form.validated_data["code"], text=form.validated_data["message"])
        return Response({})


@csrf_exempt
@transaction.non_atomic_requests
async def work_view(request: HttpRequest) -> HttpResponse:
    """Wait for work, at most 20 s, holding neither a transaction nor a thread."""
    if request.method != "GET":
        return _not_allowed()
    try:
        seconds, in_hand = _asked(request)
        identity = read_token(token_of(request.headers.get("Authorization", "")))
        found = await _wait_for_work(identity, seconds, in_hand)
    except ValueError:
        return _refusal(InvalidInputError("`wait` is 0 to 20 seconds, `in_hand` ids of work with commas between."))
    except ConsiliumError as error:
        return _refusal(error)
    return HttpResponse(status=204) if found is None else HttpResponse(found, content_type="application/json")


def _asked(request: HttpRequest) -> tuple[float, list[UUID]]:
    """The seconds to wait, and what the agent has in hand; `ValueError` for anything else."""
    seconds = float(request.GET.get("wait", "0"))
    if not 0 <= seconds <= LONGEST_WAIT_SECONDS:
        raise ValueError("wait")
    named = request.GET.get("in_hand", "")
    if not re.fullmatch(IDS_PATTERN, named):
        raise ValueError("in_hand")
    return seconds, [UUID(word) for word in named.split(",")[:MOST_IN_HAND] if word]


async def _wait_for_work(identity: AgentIdentity, seconds: float, in_hand: list[UUID]) -> str | None:
    if seconds == 0:
        return await sync_to_async(_arrive)(identity, in_hand)
    deadline = time.monotonic() + seconds
    organization = identity.organization_id
    # Registered before the first look, so that nothing is missed between look and wait.
    with hub.waiter(str(organization)) as event:
        found = await sync_to_async(_arrive)(identity, in_hand)
        while found is None and (left := deadline - time.monotonic()) > 0:
            try:
                await asyncio.wait_for(event.wait(), timeout=left)
            except TimeoutError:
                return None
            event.clear()
            found = await sync_to_async(_look)(organization, in_hand)
    return found


def _arrive(identity: AgentIdentity, in_hand: list[UUID]) -> str | None:
    """Make sure who asks, note that the agent is there, and look: one transaction for all."""
    with _for_a_moment(), transaction.atomic():
        require_known(identity)
        with act_for(organization_id=identity.organization_id):
            work.mark_seen(identity.organization_id)
            return _take(identity.organization_id, in_hand)


def _look(organization: UUID, in_hand: list[UUID]) -> str | None:
    with _for_a_moment(), transaction.atomic(), act_for(organization_id=organization):
        return _take(organization, in_hand)


def _take(organization: UUID, in_hand: list[UUID]) -> str | None:
    item = work.take_next(organization, in_hand)
    return None if item is None else json.dumps(work.describe(item))


@contextmanager
def _for_a_moment() -> Iterator[None]:
    """Give the thread's connection back to the pool at once: an agent that waits must not hold one for 20 s."""
    try:
        yield
    finally:
        # Within a transaction of the caller's the connection is the caller's too.
        if not connection.in_atomic_block:
            close_old_connections()


def _not_allowed() -> JsonResponse:
    body = problem(status=405, code="method_not_allowed", detail="Work is asked for by GET.")
    return JsonResponse(body, status=405, content_type=PROBLEM_TYPE, headers={"Allow": "GET"})


def _refusal(error: ConsiliumError) -> JsonResponse:
    body = problem(status=error.http_status, code=error.code, detail=error.message, retryable=error.retryable)
    headers = {"WWW-Authenticate": CHALLENGE} if error.http_status == 401 else {}
    return JsonResponse(body, status=error.http_status, content_type=PROBLEM_TYPE, headers=headers)
