"""In which country an organization is: said by the operator or its administrator, and by nobody else."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from audit.models import AuditRecord
from consortium.common.tenancy import act_for
from consortium.membership.models import Membership, Organization, RoleAssignment
from tests.factories.membership import World, make_user, make_world

ADDRESS = "/people/country/"


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        return make_world()


@pytest.fixture
def admin(world) -> Client:
    return logged_in("admin@hospital.example")


def logged_in(email: str) -> Client:
    client = Client()
    assert client.login(email=email, password="a long pass phrase")
    return client


def country_of(organization: Organization) -> str:
    with act_for(organization_id=organization.pk):
        return Organization.objects.get(pk=organization.pk).country


def test_an_administrator_sets_it_and_the_organizations_log_says_so(admin, world):
    page = admin.post(ADDRESS, {"country": " de "}, follow=True).content.decode()

    assert country_of(world.hospital) == "DE"
    assert "Your organization is on record in DE." in page
    assert 'value="DE"' in page
    with act_for(organization_id=world.hospital.pk):
        kept = AuditRecord.objects.get(action="membership.organization.locate")
        assert (kept.body, kept.log.organization_id) == ({"country": "DE"}, world.hospital.pk)
    assert country_of(world.bank) == ""


def test_the_same_country_again_is_no_act(admin, world):
    for _ in range(2):
        admin.post(ADDRESS, {"country": "DE"})

    with act_for(organization_id=world.hospital.pk):
        assert AuditRecord.objects.filter(action="membership.organization.locate").count() == 1


@pytest.mark.parametrize("written", ["", "D", "ZZ", "Germany", "<b>"])
def test_what_is_no_country_is_told_and_nothing_changes(admin, world, written):
    page = admin.post(ADDRESS, {"country": written}, follow=True).content.decode()

    assert "is no country&#x27;s code" in page
    assert country_of(world.hospital) == ""
    with act_for(organization_id=world.hospital.pk):
        assert not AuditRecord.objects.filter(action="membership.organization.locate").exists()


def test_other_roles_may_not(world, as_system):
    with as_system():
        user = make_user("officer@hospital.example")
        RoleAssignment.objects.create(user=user, organization=world.hospital, role="compliance")

    assert logged_in("officer@hospital.example").post(ADDRESS, {"country": "DE"}).status_code == 403
    assert country_of(world.hospital) == ""


def test_while_members_vote_on_the_profile_it_stays_as_it_is(world, as_system):
    with as_system():
        Membership.objects.create(consortium=world.consortium, organization=world.outsider, status="applicant")
    page = logged_in("admin@outsider.example").post(ADDRESS, {"country": "DE"}, follow=True).content.decode()

    assert "The members vote on your profile as it stands." in page
    assert country_of(world.outsider) == ""


def organizations(folder: Path, **entry: Any) -> Path:
    people = [{"email": "ada@general.example", "name": "Ada", "roles": ["admin"], "pass_phrase": "a long pass phrase"}]
    document = folder / "organizations.json"
    document.write_text(json.dumps([{"slug": "general", "name": "General", "people": people, **entry}]))
    return document


@pytest.mark.parametrize(("entry", "country"), [({}, ""), ({"country": "us"}, "US")])
def test_the_operator_names_it_or_leaves_it_out(become, tmp_path, entry, country):
    with become("consilium_system"):
        call_command("create_organizations", str(organizations(tmp_path, **entry)), stdout=StringIO())
        assert Organization.objects.get(slug="general").country == country


@pytest.mark.parametrize(
    ("entry", "told"), [({"country": "XX"}, "is no country's code"), ({"land": "DE"}, "has the keys")]
)
def test_the_operators_mistakes_are_told_and_nothing_is_made(become, tmp_path, entry, told):
    with become("consilium_system"):
        with pytest.raises(CommandError, match=told):
            call_command("create_organizations", str(organizations(tmp_path, **entry)), stdout=StringIO())
        assert not Organization.objects.exists()
