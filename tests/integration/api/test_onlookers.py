"""Applicants and appointed auditors see a consortium; they do not act in it, and are told so."""

import json
import uuid

import pytest
from django.test import Client

from audit.models import AuditRecord, Bundle
from consent.models import DataSet
from consortium.governance.models import Proposal
from consortium.membership.models import AuditorAppointment, Membership, Organization, User
from tests.factories.everything import Everything
from tests.factories.membership import World, make_world
from tests.integration.channel.agents import FakeSite
from tests.integration.tenancy.endpoints import Names, data_set, proposal
from tests.unit.training.plans import plan_document
from training.models import Plan


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        return make_world()


@pytest.fixture(params=["applicant", "removed", "auditor"])
def onlooker(request, world, as_system) -> Organization:
    """The outsider, which has applied, was removed, or whose administrator is the consortium's auditor."""
    with as_system():
        if request.param == "auditor":
            person = User.objects.get(email="admin@outsider.example")
            AuditorAppointment.objects.create(user=person, consortium=world.consortium)
        else:
            Membership.objects.create(consortium=world.consortium, organization=world.outsider, status=request.param)
    return world.outsider


def nothing_was_kept(as_system) -> bool:
    with as_system():
        return not any(model.objects.exists() for model in (Plan, Bundle, DataSet, Proposal, AuditRecord))


def test_their_people_see_the_consortium_and_are_refused_every_act(world, onlooker, as_system):
    client = Client(raise_request_exception=False)
    assert client.login(email="admin@outsider.example", password="a long pass phrase")
    path = f"/api/v1/consortia/{world.consortium.pk}"
    acts = {"plans": {"document": plan_document(consortium=str(world.consortium.pk))}, "bundles": {}}
    with as_system():
        if AuditorAppointment.objects.exists():
            # What auditors may ask for stands in tests/integration/bundles/test_auditors.py.
            acts.pop("bundles")

    assert client.get(path).status_code == 200
    for kind, body in acts.items():
        key = {"Idempotency-Key": str(uuid.uuid4())}
        answer = client.post(f"{path}/{kind}", json.dumps(body), "application/json", headers=key)
        assert (answer.status_code, answer.json()["code"]) == (403, "forbidden"), kind
    assert nothing_was_kept(as_system)


def test_their_agents_are_refused_every_act(world, onlooker, as_system):
    site = FakeSite(world.outsider)
    with as_system():
        site.register(world.other_consortium)
        is_seen = Membership.objects.filter(organization=onlooker, consortium=world.consortium).exists()
    site.open_session()
    names = Names(Everything(world, site.address, {type(world.consortium): world.consortium}))
    acts = {"data-sets": data_set(names, site), "proposals": proposal(names, "ConsortiumGovernor")}

    for path, body in acts.items():
        answer = site.post(path, body, **{"Idempotency-Key": str(uuid.uuid4())})
        # An auditor is a person: to the organization's agent there is no such consortium.
        assert answer.status_code == (403 if is_seen else 404), answer.content
    assert nothing_was_kept(as_system)
