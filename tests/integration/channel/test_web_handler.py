"""The web process's own application: one chain for requests, another for agents that wait."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import httpx
import pytest
from asgiref.sync import sync_to_async
from django.db import connections, transaction
from django.utils import timezone

from consortium.common.correlation import HEADER
from consortium.common.handler import web_application
from consortium.embedded.layout import project_root
from consortium.membership.channel import work
from consortium.membership.channel.hub import hub
from tests.integration.channel.agents import PREFIX
from tests.integration.channel.test_work import _count, idle_listeners

pytestmark = pytest.mark.django_db(transaction=True)
Scenario = Callable[[httpx.AsyncClient], Awaitable[object]]


def play(scenario: Scenario) -> object:
    """Run a scenario against the application, as uvicorn would call it."""

    async def run() -> object:
        transport = httpx.ASGITransport(web_application())
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await scenario(client)
        finally:
            await hub.stop()
            await sync_to_async(connections.close_all)()

    return asyncio.run(run())


def test_agents_that_wait_hold_no_connection_to_the_database(site, world, as_system):
    headers = {"Authorization": f"Bearer {site.token}"}

    def publish() -> None:
        with transaction.atomic(), as_system():
            soon = timezone.now() + timedelta(seconds=60)
            place = {"consortium_id": world.consortium.pk, "organization_id": world.hospital.pk}
            work.publish(**place, kind="ping", payload={"woken": True}, deadline=soon)

    async def scenario(client: httpx.AsyncClient) -> object:
        sessions = await sync_to_async(_sessions)()
        polls = [asyncio.create_task(client.get(f"{PREFIX}/work?wait=20", headers=headers)) for _ in range(3)]
        async with asyncio.timeout(10):
            while not (await sync_to_async(idle_listeners)() and len(hub._waiting[str(world.hospital.pk)]) == 3):
                await asyncio.sleep(0.02)
            # All of them share the hub's one connection.
            while await sync_to_async(_sessions)() != sessions + 1:
                await asyncio.sleep(0.02)
            await sync_to_async(publish)()
            return [(await poll).json()["payload"] for poll in polls]

    assert play(scenario) == [{"woken": True}] * 3


def test_a_poll_without_a_token_or_for_another_host_is_refused(site):
    async def scenario(client: httpx.AsyncClient) -> object:
        stranger = await client.get(f"{PREFIX}/work?wait=20")
        elsewhere = await client.get(f"{PREFIX}/work", headers={"Host": "elsewhere.example"})
        return (
            stranger.status_code,
            stranger.headers["X-Frame-Options"],
            HEADER in stranger.headers,
            elsewhere.status_code,
        )

    assert play(scenario) == (401, "DENY", True, 400)


def test_other_requests_run_in_the_transaction_of_whom_they_act_for(site):
    async def scenario(client: httpx.AsyncClient) -> object:
        session = await client.post(f"{PREFIX}/session", json=site.session_request())
        headers = {"Authorization": f"Bearer {session.json()['token']}"}
        mine = await client.get(f"{PREFIX}/consortia", headers=headers)
        page = await client.get("/accounts/login/")
        return session.status_code, len(mine.json()["results"]), page.status_code

    assert play(scenario) == (200, 1, 200)


def test_a_form_without_its_token_is_refused():
    async def scenario(client: httpx.AsyncClient) -> object:
        return (await client.post("/accounts/login/", data={"login": "a@example.org", "password": "x"})).status_code

    assert play(scenario) == 403


def test_a_static_file_comes_whole():
    path = next(path for path in (project_root() / "static").rglob("*.css"))

    async def scenario(client: httpx.AsyncClient) -> object:
        url = f"/static/{path.relative_to(project_root() / 'static')}"
        return (await client.get(url)).content

    assert play(scenario) == path.read_bytes()


def test_each_request_has_its_own_correlation_id_though_threads_serve_many():
    async def scenario(client: httpx.AsyncClient) -> object:
        answers = [await client.get("/accounts/login/") for _ in range(20)]
        return len({answer.headers[HEADER] for answer in answers})

    assert play(scenario) == 20


def _sessions() -> int:
    return _count("datname = current_database() AND backend_type = 'client backend'")
