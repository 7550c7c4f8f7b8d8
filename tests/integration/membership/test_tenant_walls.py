"""Invariant 1: no row is visible to, or changed by, an organization without a right to it."""

import pytest
from django.apps import apps
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from consortium.common.tenancy import NoTransactionError, WrongDatabaseRoleError, act_for, act_for_all, set_identity
from consortium.membership.models import Consortium, Membership, Organization, RoleAssignment, User
from tests.factories.membership import World, make_world

# Tables of Django and of allauth: they hold no tenant's data, or are read before anybody is known.
EXEMPT = {
    "django_migrations": "names of migrations",
    "django_content_type": "names of models",
    "django_session": "opaque to everybody without its key",
    "auth_permission": "Django's own list, unused: roles live in membership",
    "auth_group": "unused",
    "auth_group_permissions": "unused",
    "account_emailaddress": "allauth: addresses of log-ins, read before anybody is known",
    "account_emailconfirmation": "allauth: confirmations of addresses",
    "allauth_idp_oidc_client": "registered clients of the token provider",
    "allauth_idp_oidc_token": "hashes of tokens",
}


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        return make_world()


def test_every_table_has_policies_or_a_listed_exemption(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, relrowsecurity AND relforcerowsecurity, "
            "EXISTS (SELECT 1 FROM pg_policy WHERE polrelid = pg_class.oid) "
            "FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        )
        tables = cursor.fetchall()

    unguarded = {name for name, forced, has_policy in tables if not (forced and has_policy)}
    assert unguarded == set(EXEMPT) & {name for name, _, _ in tables}


def test_no_policy_is_for_everybody(db):
    with connection.cursor() as cursor:
        cursor.execute("SELECT polname FROM pg_policy WHERE 0 = ANY (polroles)")
        assert cursor.fetchall() == []


def test_every_model_lies_behind_a_known_table(db):
    assert {model._meta.db_table for model in apps.get_models()} <= set(connection.introspection.table_names())


def test_without_an_identity_nothing_is_visible(world):
    for model in (Organization, Consortium, Membership, User, RoleAssignment):
        assert model.objects.count() == 0, model


def test_a_member_sees_its_consortium_and_its_partners(world):
    with act_for(organization_id=world.hospital.pk):
        assert {o.slug for o in Organization.objects.all()} == {"hospital", "bank"}
        assert [c.slug for c in Consortium.objects.all()] == ["shared"]
        assert {m.organization.slug for m in Membership.objects.all()} == {"hospital", "bank"}


def test_a_member_sees_its_own_people_only(world):
    with act_for(organization_id=world.hospital.pk):
        assert [user.email for user in User.objects.all()] == ["admin@hospital.example"]
        assert {r.organization_id for r in RoleAssignment.objects.all()} == {world.hospital.pk}


def test_a_suspended_member_still_reads_and_a_removed_one_does_not(world, as_system):
    for status, seen in (("suspended", 1), ("removed", 0)):
        with as_system():
            Membership.objects.filter(organization=world.bank).update(status=status)
        with act_for(organization_id=world.bank.pk):
            assert Membership.objects.filter(organization=world.hospital).count() == seen


def test_raw_sql_meets_the_same_wall(world):
    with act_for(organization_id=world.outsider.pk), connection.cursor() as cursor:
        cursor.execute("SELECT slug FROM membership_organization")
        assert cursor.fetchall() == [("outsider",)]


def test_a_member_cannot_make_itself_active(world, as_system):
    with as_system():
        applicant = Organization.objects.create(name="Applicant", slug="applicant")

    with act_for(organization_id=applicant.pk):
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Membership.objects.create(consortium=world.consortium, organization=applicant, status="active")
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            Membership.objects.filter(organization=applicant).update(status="active")

    with as_system():
        assert not Membership.objects.filter(organization=applicant).exists()


def test_an_applicant_applies_for_itself_only(world, as_system):
    with as_system():
        applicant = Organization.objects.create(name="Applicant", slug="applicant")

    with act_for(organization_id=applicant.pk):
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Membership.objects.create(consortium=world.other_consortium, organization=world.hospital)
        Membership.objects.create(consortium=world.consortium, organization=applicant)
        assert [m.organization.slug for m in Membership.objects.all()] == ["applicant"]


def test_a_person_cannot_give_themselves_a_role_elsewhere(world, as_system):
    with as_system():
        user = User.objects.get(email="admin@hospital.example")

    with (
        act_for(organization_id=world.hospital.pk, person_id=user.pk),
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
    ):
        RoleAssignment.objects.create(user=user, organization=world.bank, role="admin")

    with as_system():
        assert not RoleAssignment.objects.filter(user=user, organization=world.bank).exists()


def test_the_identity_ends_with_its_block(world):
    with act_for(organization_id=world.hospital.pk):
        assert Membership.objects.count() == 2
    assert Membership.objects.count() == 0


def test_the_app_role_cannot_work_for_all(db):
    with pytest.raises(WrongDatabaseRoleError), act_for_all():
        pass


@pytest.mark.django_db(transaction=True)
def test_an_identity_outside_a_transaction_is_refused():
    with pytest.raises(NoTransactionError):
        set_identity(organization_id=None, person_id=None)
