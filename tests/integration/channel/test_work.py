"""Work for sites: given out in order, answered once, called off, and never seen by another site."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import connection, connections, transaction
from django.db.utils import ProgrammingError
from django.test import AsyncClient
from django.utils import timezone

from consortium.common.tenancy import act_for
from consortium.membership.channel import work
from consortium.membership.channel.hub import hub
from consortium.membership.models import SitePresence, WorkItem
from tests.integration.channel.agents import PREFIX

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def publish(world, as_system):
    def make(organization=None, seconds: float = 60, **fields) -> WorkItem:
        values = {"kind": "ping", "payload": {"round": 1}} | fields
        with transaction.atomic(), as_system():
            return work.publish(
                consortium_id=world.consortium.pk,
                organization_id=(organization or world.hospital).pk,
                deadline=timezone.now() + timedelta(seconds=seconds),
                **values,
            )

    return make


def stored(item: WorkItem, as_system) -> WorkItem:
    with transaction.atomic(), as_system():
        return WorkItem.objects.get(pk=item.pk)


def test_nothing_to_do_is_204_and_the_site_was_seen(site, world, as_system):
    assert site.get("work").status_code == 204
    with transaction.atomic(), as_system():
        assert SitePresence.objects.filter(organization=world.hospital).exists()


def test_work_comes_oldest_first_and_comes_again_until_it_is_answered(site, publish):
    first, second = publish(payload={"n": 1}), publish(payload={"n": 2})

    assert site.get("work").json()["id"] == str(first.pk)
    assert site.get("work").json()["payload"] == {"n": 1}
    assert site.post(f"work/{first.pk}/result", {"pong": True}).status_code == 200
    assert site.get("work").json()["id"] == str(second.pk)


def test_work_that_the_site_has_in_hand_is_passed_over(site, publish):
    first, second = publish(payload={"n": 1}), publish(payload={"n": 2})

    assert site.get(f"work?in_hand={first.pk}").json()["id"] == str(second.pk)
    assert site.get(f"work?in_hand={first.pk},{second.pk}").status_code == 204
    assert site.get("work?in_hand=x").status_code == 400


def test_another_sites_work_is_not_given_out_nor_can_it_be_answered(site, publish, world, as_system):
    foreign = publish(organization=world.bank)

    assert site.get("work").status_code == 204
    for path in ("beat", "result"):
        assert site.post(f"work/{foreign.pk}/{path}", {}).status_code == 404
    assert site.post(f"work/{foreign.pk}/refusal", {"code": "no", "message": "no"}).status_code == 404
    assert stored(foreign, as_system).state == "open"


def test_an_answer_counts_once_and_the_same_one_again_is_welcome(site, publish, as_system):
    item = publish()

    assert site.post(f"work/{item.pk}/result", b"\x01\x02").status_code == 200
    assert site.post(f"work/{item.pk}/result", b"\x01\x02").status_code == 200
    assert site.post(f"work/{item.pk}/result", b"\x01\x03").status_code == 409
    assert bytes(stored(item, as_system).result_bytes or b"") == b"\x01\x02"


def test_work_that_was_called_off_tells_the_site_to_stop(site, publish, as_system):
    item = publish()
    site.get("work")
    assert site.post(f"work/{item.pk}/beat").status_code == 200
    with transaction.atomic(), as_system():
        assert work.close([item.pk]) == 1

    assert site.post(f"work/{item.pk}/beat").status_code == 410
    assert site.post(f"work/{item.pk}/result", {}).status_code == 410
    assert stored(item, as_system).result is None


def test_work_past_its_deadline_is_not_given_out(site, publish):
    item = publish(seconds=-1)

    assert site.get("work").status_code == 204
    assert site.post(f"work/{item.pk}/beat").status_code == 410


def test_a_refusal_is_kept_with_its_code(site, publish, as_system):
    item = publish()

    assert (
        site.post(f"work/{item.pk}/refusal", {"code": "weights_differ", "message": "Other bytes."}).status_code == 200
    )
    found = stored(item, as_system)
    assert (found.state, found.refusal_code) == ("refused", "weights_differ")


def test_a_waiting_poll_wakes_when_work_is_committed_and_holds_no_transaction(site, publish):
    async def scenario() -> dict[str, object]:
        client = AsyncClient()
        headers = {"Authorization": f"Bearer {site.token}"}
        try:
            poll = asyncio.create_task(client.get(f"{PREFIX}/work?wait=20", headers=headers))
            async with asyncio.timeout(10):
                while not await sync_to_async(idle_listeners)():
                    await asyncio.sleep(0.02)
            assert await sync_to_async(open_transactions)() == 0
            await sync_to_async(publish)(payload={"woken": True})
            async with asyncio.timeout(10):
                return (await poll).json()["payload"]
        finally:
            await hub.stop()
            await sync_to_async(connections.close_all)()

    assert asyncio.run(scenario()) == {"woken": True}


def idle_listeners() -> int:
    return _count("query LIKE 'LISTEN consilium_work%' AND state = 'idle'")


def open_transactions() -> int:
    return _count("datname = current_database() AND state = 'idle in transaction'")


def _count(condition: str) -> int:
    """Other sessions as a superuser sees them, from a session of its own."""
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        cursor.execute(f"SELECT count(*) FROM pg_stat_activity WHERE {condition}")  # noqa: S608  the test's own words
        count = int(cursor.fetchone()[0])
        cursor.execute("SET ROLE consilium_app")
    return count


@pytest.mark.parametrize("wait", ["x", "nan-ish"])
def test_a_wait_that_is_no_number_is_refused(site, wait):
    assert site.get(f"work?wait={wait}").status_code == 400


def test_the_app_role_cannot_publish_work(world):
    with (
        transaction.atomic(),
        act_for(organization_id=world.hospital.pk),
        pytest.raises(ProgrammingError, match="permission denied"),
        transaction.atomic(),
    ):
        work.publish(
            consortium_id=world.consortium.pk,
            organization_id=world.hospital.pk,
            kind="train",
            payload={},
            deadline=timezone.now(),
        )
