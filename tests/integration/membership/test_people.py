"""People and roles: an administrator changes them in their own organization, and never shuts the last one out."""

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import AuditRecord
from consortium.membership.models import RoleAssignment, User
from tests.factories.membership import World, make_user, make_world
from tests.integration.membership.test_tokens import authenticate, claims, sign


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        made = make_world()
        user = make_user("ada@hospital.example")
        RoleAssignment.objects.create(user=user, organization=made.hospital, role="steward")
        return made


def logged_in(email: str) -> Client:
    client = Client()
    assert client.login(email=email, password="a long pass phrase")
    return client


@pytest.fixture
def admin(world: World) -> Client:
    return logged_in("admin@hospital.example")


@pytest.fixture
def ada(world, as_system) -> User:
    with as_system():
        return User.objects.get(email="ada@hospital.example")


@pytest.fixture
def administrator(world, as_system) -> User:
    with as_system():
        return User.objects.get(email="admin@hospital.example")


def roles_of(user: User, as_system) -> dict[str, bool]:
    """Role and whether it is in force."""
    with as_system():
        return {r.role: r.suspended_at is None for r in RoleAssignment.objects.filter(user=user)}


def last_actions(as_system, number: int) -> list[str]:
    with as_system():
        return list(AuditRecord.objects.order_by("-recorded_at").values_list("action", flat=True)[:number])


def test_roles_are_changed_and_each_change_is_recorded(admin, ada, as_system):
    admin.post(reverse("person", args=[ada.pk]), {"roles": ["scientist", "voter"]})

    assert roles_of(ada, as_system) == {"scientist": True, "voter": True}
    assert sorted(last_actions(as_system, 3)) == ["membership.role.assign"] * 2 + ["membership.role.remove"]


def test_a_person_without_any_role_is_refused(admin, ada, as_system):
    answer = admin.post(reverse("person", args=[ada.pk]), {"roles": []})

    assert "Choose at least one role" in answer.text
    assert roles_of(ada, as_system) == {"steward": True}


def test_the_last_administrator_keeps_the_role_and_is_not_deactivated(admin, administrator, as_system):
    page = admin.post(reverse("person", args=[administrator.pk]), {"roles": ["voter"]})
    assert "last administrator" in page.text

    page = admin.post(reverse("deactivate_person", args=[administrator.pk]), follow=True)

    assert "last administrator" in page.text
    assert roles_of(administrator, as_system) == {"admin": True}


def test_an_administrator_goes_once_there_is_another(admin, administrator, ada, as_system):
    admin.post(reverse("person", args=[ada.pk]), {"roles": ["admin"]})

    admin.post(reverse("deactivate_person", args=[administrator.pk]))

    assert roles_of(administrator, as_system) == {"admin": False}


def test_a_deactivated_administrator_counts_as_none(admin, administrator, ada, as_system):
    admin.post(reverse("person", args=[ada.pk]), {"roles": ["admin"]})
    admin.post(reverse("deactivate_person", args=[ada.pk]))

    admin.post(reverse("deactivate_person", args=[administrator.pk]))

    assert roles_of(administrator, as_system) == {"admin": True}


def test_a_deactivated_persons_session_ends_their_token_is_refused_and_they_cannot_log_in(admin, ada, as_system):
    from rest_framework.exceptions import AuthenticationFailed

    session, token = logged_in("ada@hospital.example"), sign(claims(ada))
    assert session.get("/").status_code == 200

    admin.post(reverse("deactivate_person", args=[ada.pk]))

    assert session.get("/").status_code == 302
    assert "_auth_user_id" not in session.session
    with pytest.raises(AuthenticationFailed):
        authenticate(token)
    assert not Client().login(email="ada@hospital.example", password="a long pass phrase")
    assert last_actions(as_system, 1) == ["membership.person.suspend"]


def test_a_reactivated_person_comes_back_with_the_roles_of_before(admin, ada, as_system):
    admin.post(reverse("deactivate_person", args=[ada.pk]))

    admin.post(reverse("reactivate_person", args=[ada.pk]))

    assert roles_of(ada, as_system) == {"steward": True}
    assert logged_in("ada@hospital.example").get("/").status_code == 200
    assert last_actions(as_system, 1) == ["membership.person.reinstate"]


def test_who_is_deactivated_in_one_organization_goes_on_in_another(admin, ada, world, as_system):
    with as_system():
        RoleAssignment.objects.create(user=ada, organization=world.bank, role="voter")
    session = logged_in("ada@hospital.example")

    admin.post(reverse("deactivate_person", args=[ada.pk]))

    page = session.get("/")
    assert page.status_code == 200
    assert page.context["acting_organization"] == world.bank


@pytest.mark.parametrize("name", ["person", "deactivate_person", "reactivate_person"])
def test_another_organizations_people_are_not_found_and_not_changed(ada, as_system, name):
    bank = logged_in("admin@bank.example")

    answer = bank.post(reverse(name, args=[ada.pk]), {"roles": ["admin"]})

    assert answer.status_code == 404
    assert roles_of(ada, as_system) == {"steward": True}


@pytest.mark.parametrize("name", ["person", "deactivate_person", "reactivate_person"])
def test_only_administrators_change_people(ada, administrator, as_system, name):
    steward = logged_in("ada@hospital.example")

    answer = steward.post(reverse(name, args=[administrator.pk]), {"roles": ["voter"]})

    assert answer.status_code == 403
    assert roles_of(administrator, as_system) == {"admin": True}


def test_colleagues_see_one_another_and_no_door_that_is_not_theirs(ada):
    page = logged_in("ada@hospital.example").get("/people/").text

    assert "admin@hospital.example" in page
    assert reverse("invite") not in page
    assert "Invitations" not in page


def test_the_address_of_the_member_page_is_for_ones_own_people(admin, world):
    admin.post(reverse("member_page"), {"address": "https://agent.hospital.example/"})

    assert "https://agent.hospital.example/" in admin.get("/members/").text
    assert "agent.hospital.example" not in logged_in("admin@bank.example").get("/members/").text


@pytest.mark.parametrize("address", ["javascript:alert(1)", "not an address", "ftp//x"])
def test_an_address_that_is_no_web_address_is_refused(admin, address):
    answer = admin.post(reverse("member_page"), {"address": address}, follow=True)

    assert "no web address" in answer.text
    assert "Not told to this portal" in admin.get("/members/").text
