"""An agent proves that it holds its organization's current site key; everybody else gets the same refusal."""

import time

import pytest

from consortium.membership.models import Membership, OrganizationKey
from tests.factories.membership import World, make_world
from tests.integration.channel.agents import FakeSite


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        return make_world()


@pytest.fixture
def site(world, as_system) -> FakeSite:
    site = FakeSite(world.hospital)
    with as_system():
        site.register(world.consortium)
    return site


def test_an_agent_with_the_current_key_gets_a_session_and_sees_its_consortia(site, world):
    site.open_session()

    found = site.get("consortia").json()["results"]
    assert [consortium["name"] for consortium in found] == ["Shared"]


def test_a_request_that_was_sent_before_is_refused(site):
    asked = site.session_request()

    assert site.post("session", asked).status_code == 200
    assert site.post("session", asked).status_code == 401


@pytest.mark.parametrize("seconds", [-3_600, 3_600])
def test_a_clock_that_is_off_is_refused(site, seconds):
    assert site.post("session", site.session_request(time=int(time.time()) + seconds)).status_code == 401


def test_another_organizations_name_under_ones_own_key_is_refused(site, world):
    answer = site.post("session", site.session_request(organization=str(world.bank.pk)))

    assert answer.status_code == 401
    assert answer.json()["code"] == "agent_refused"


def test_an_unknown_key_and_a_signature_over_something_else_are_refused_alike(site, world):
    stranger = FakeSite(world.hospital)
    changed = site.session_request() | {"time": int(time.time()) + 1}

    answers = [stranger.post("session", stranger.session_request()), site.post("session", changed)]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert answers[0].json()["detail"] == answers[1].json()["detail"]


def test_a_retired_key_loses_its_open_session(site, world, as_system):
    site.open_session()
    with as_system():
        OrganizationKey.objects.filter(address=site.address).update(retired_at_block=7)

    assert site.get("consortia").status_code == 401


def test_a_removed_organizations_agent_loses_its_session(site, world, as_system):
    site.open_session()
    with as_system():
        Membership.objects.filter(organization=world.hospital).update(status="removed")

    assert site.get("consortia").status_code == 401


@pytest.mark.parametrize("token", ["", "nonsense", "a:b:c"])
def test_without_a_session_nothing_is_answered(site, token):
    site.token = token
    for path in ("consortia", "ballots", "work", "blobs/sha256:" + "0" * 64):
        assert site.get(path).status_code == 401, path
    assert site.post("proposals").status_code == 401
