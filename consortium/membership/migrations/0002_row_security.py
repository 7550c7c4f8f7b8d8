"""Who sees which row of membership, and the look-ups that run before anybody is known."""

from django.db import migrations

from consortium.common.row_security import (
    CONSORTIA,
    ORGANIZATION,
    PERSON,
    EnableRowSecurity,
    Policy,
    owner_reads,
    system,
)
from consortium.common.tenancy import APP_ROLE

# Run as the owner, whose own policies let it read these tables; the search path is fixed so that
# nobody can put a table of the same name before ours.
LOOKUPS = """
CREATE FUNCTION consilium_consortia() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT consortium_id FROM membership_membership
     WHERE organization_id = consilium_organization() AND status IN ('active', 'suspended')
    UNION
    SELECT consortium_id FROM membership_auditorappointment
     WHERE user_id = consilium_person() AND (until IS NULL OR until > now())
$$;
CREATE FUNCTION consilium_login(address text) RETURNS SETOF membership_user LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT * FROM membership_user WHERE email = lower(address) LIMIT 1
$$;
CREATE FUNCTION consilium_colleagues() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT user_id FROM membership_roleassignment WHERE organization_id = consilium_organization()
$$;
CREATE FUNCTION consilium_partners() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT organization_id FROM membership_membership WHERE consortium_id IN (SELECT consilium_consortia())
    UNION SELECT organization_id FROM membership_roleassignment WHERE user_id = consilium_person()
    UNION SELECT consilium_organization()
$$;
CREATE FUNCTION consilium_own_consortia() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT consortium_id FROM membership_membership WHERE organization_id = consilium_organization()
$$;
GRANT EXECUTE ON FUNCTION consilium_consortia(), consilium_login(text), consilium_colleagues(), consilium_partners(),
    consilium_own_consortia() TO consilium_app, consilium_system;
"""
UNDO = """
DROP FUNCTION consilium_partners(); DROP FUNCTION consilium_colleagues(); DROP FUNCTION consilium_own_consortia();
DROP FUNCTION consilium_login(text); DROP FUNCTION consilium_consortia();
"""

MEMBERSHIP_OF_KEY = "(SELECT id FROM membership_membership)"
OWN_MEMBERSHIPS = "(SELECT id FROM membership_membership WHERE organization_id = consilium_organization())"


class Migration(migrations.Migration):
    dependencies = [("membership", "0001_initial"), ("common", "0001_roles")]
    operations = [
        migrations.RunSQL(LOOKUPS, UNDO),
        EnableRowSecurity(
            "membership_organization",
            [
                Policy("partners_read", "SELECT", APP_ROLE, "id IN (SELECT consilium_partners())"),
                Policy("own_updates", "UPDATE", APP_ROLE, f"id = {ORGANIZATION}", f"id = {ORGANIZATION}"),
                *system(),
            ],
            app="SELECT, UPDATE",
        ),
        EnableRowSecurity(
            "membership_consortium",
            [
                Policy(
                    "members_read",
                    "SELECT",
                    APP_ROLE,
                    "id IN (SELECT consilium_consortia() UNION SELECT consilium_own_consortia())",
                ),
                *system(),
            ],
            app="SELECT",
        ),
        EnableRowSecurity(
            "membership_membership",
            [
                Policy(
                    "members_read",
                    "SELECT",
                    APP_ROLE,
                    f"consortium_id IN {CONSORTIA} OR organization_id = {ORGANIZATION}",
                ),
                Policy(
                    "applicant_applies",
                    "INSERT",
                    APP_ROLE,
                    check=f"organization_id = {ORGANIZATION} AND status = 'applicant'",
                ),
                *system(),
                *owner_reads(),
            ],
            app="SELECT, INSERT",
        ),
        EnableRowSecurity(
            "membership_organizationkey",
            [
                Policy("members_read", "SELECT", APP_ROLE, f"membership_id IN {MEMBERSHIP_OF_KEY}"),
                Policy(
                    "own_inserts",
                    "INSERT",
                    APP_ROLE,
                    check=f"membership_id IN {OWN_MEMBERSHIPS}",
                ),
                *system(),
            ],
            app="SELECT, INSERT",
        ),
        EnableRowSecurity(
            "membership_user",
            [
                Policy(
                    "self_and_colleagues_read",
                    "SELECT",
                    APP_ROLE,
                    f"id = {PERSON} OR id IN (SELECT consilium_colleagues())",
                ),
                Policy("self_updates", "UPDATE", APP_ROLE, f"id = {PERSON}", f"id = {PERSON}"),
                *system(),
                *owner_reads(),
            ],
            app="SELECT, UPDATE",
        ),
        EnableRowSecurity(
            "membership_roleassignment",
            [
                Policy("own_read", "SELECT", APP_ROLE, f"organization_id = {ORGANIZATION} OR user_id = {PERSON}"),
                Policy("own_inserts", "INSERT", APP_ROLE, check=f"organization_id = {ORGANIZATION}"),
                Policy("own_deletes", "DELETE", APP_ROLE, f"organization_id = {ORGANIZATION}"),
                *system(),
                *owner_reads(),
            ],
            app="SELECT, INSERT, DELETE",
        ),
        EnableRowSecurity(
            "membership_auditorappointment",
            [
                Policy("members_read", "SELECT", APP_ROLE, f"consortium_id IN {CONSORTIA} OR user_id = {PERSON}"),
                *system(),
                *owner_reads(),
            ],
            app="SELECT",
        ),
    ]
