"""Who sees invitations; redeeming one, and shutting a colleague out, by exactly the privileges that they need."""

from django.db import migrations

from consortium.common.row_security import ORGANIZATION, EnableRowSecurity, Policy, owner_reads, private, system
from consortium.common.tenancy import APP_ROLE, OWNER_ROLE

# Not `consilium_consortia()`: an auditor's appointment lets nobody appoint another.
ACTIVE_IN = (
    f"(SELECT consortium_id FROM membership_membership WHERE organization_id = {ORGANIZATION} AND status = 'active')"  # noqa: S608  names are constants
)
OWN = f"organization_id = {ORGANIZATION}"
INVITES = f"{OWN} AND (consortium_id IS NULL OR consortium_id IN {ACTIVE_IN})"

# Both run as the owner. The first gives out the one open invitation of a digest, so its asker knows the secret.
# The second uses it up and makes the person, since the web's own role may make none; a second use waits for the
# first one's transaction and then finds nothing. A person who exists is taken only if the link names their address.
# Nobody becomes auditor by an organization that has left the consortium since.
REDEEM = """
CREATE FUNCTION consilium_invitation(given text) RETURNS SETOF membership_invitation LANGUAGE sql STABLE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM membership_invitation
     WHERE token_digest = given AND accepted_at IS NULL AND revoked_at IS NULL AND expires_at > now()
$$;
CREATE FUNCTION consilium_redeem_invitation(given text, person uuid, called text, secret text)
    RETURNS SETOF membership_invitation LANGUAGE plpgsql VOLATILE
    SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE invitation membership_invitation;
BEGIN
    UPDATE membership_invitation AS i SET accepted_at = now(), accepted_by = person
     WHERE i.token_digest = given AND i.accepted_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > now()
       AND (secret IS NOT NULL OR EXISTS (
            SELECT 1 FROM membership_user u WHERE u.id = person AND u.email = i.email AND u.is_active))
       AND (i.consortium_id IS NULL OR EXISTS (
            SELECT 1 FROM membership_membership m WHERE m.organization_id = i.organization_id
               AND m.consortium_id = i.consortium_id AND m.status = 'active'))
    RETURNING * INTO invitation;
    IF NOT FOUND THEN RETURN; END IF;
    IF secret IS NOT NULL THEN
        INSERT INTO membership_user (id, created_at, email, name, password, is_active, is_operator)
        VALUES (person, now(), invitation.email, called, secret, true, false);
    END IF;
    -- Who was deactivated here comes back with the roles of the invitation, not with those from before.
    DELETE FROM membership_roleassignment AS r WHERE r.user_id = person
       AND r.organization_id = invitation.organization_id AND r.suspended_at IS NOT NULL;
    INSERT INTO membership_roleassignment (id, created_at, user_id, organization_id, role)
    SELECT gen_random_uuid(), now(), person, invitation.organization_id, unnest(invitation.roles)
    ON CONFLICT DO NOTHING;
    IF invitation.consortium_id IS NOT NULL THEN
        INSERT INTO membership_auditorappointment AS a
               (id, created_at, user_id, consortium_id, organization_id, name, until)
        VALUES (gen_random_uuid(), now(), person, invitation.consortium_id, invitation.organization_id,
                invitation.name, invitation.until)
        ON CONFLICT (user_id, consortium_id) DO UPDATE
           SET until = excluded.until, organization_id = excluded.organization_id, name = excluded.name;
    END IF;
    RETURN NEXT invitation;
END $$;
REVOKE EXECUTE ON FUNCTION consilium_redeem_invitation(text, uuid, text, text), consilium_invitation(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION consilium_redeem_invitation(text, uuid, text, text), consilium_invitation(text)
    TO consilium_app;
"""
UNDO_REDEEM = """
DROP FUNCTION consilium_redeem_invitation(text, uuid, text, text);
DROP FUNCTION consilium_invitation(text);
"""


def policy(table: str, given: Policy) -> migrations.RunSQL:
    return migrations.RunSQL(given.create(table), f"DROP POLICY {given.name} ON {table};")


class Migration(migrations.Migration):
    dependencies = [("membership", "0006_invitations")]
    operations = [
        EnableRowSecurity(
            "membership_invitation",
            [
                Policy("own_read", "SELECT", APP_ROLE, OWN),
                Policy("own_inserts", "INSERT", APP_ROLE, check=INVITES),
                Policy("own_updates", "UPDATE", APP_ROLE, OWN, OWN),
                *system("SELECT"),
                *owner_reads(),
                Policy("redeeming", "UPDATE", OWNER_ROLE, "true", "true"),
            ],
            app="SELECT, INSERT, UPDATE (revoked_at)",
            system="SELECT",
        ),
        EnableRowSecurity("membership_memberpage", private(), system=""),
        policy("membership_user", Policy("redeeming", "INSERT", OWNER_ROLE, check="true")),
        policy("membership_roleassignment", Policy("redeeming", "INSERT", OWNER_ROLE, check="true")),
        policy("membership_roleassignment", Policy("redeeming_again", "DELETE", OWNER_ROLE, "true")),
        policy("membership_auditorappointment", Policy("redeeming", "INSERT", OWNER_ROLE, check="true")),
        policy("membership_auditorappointment", Policy("redeeming_again", "UPDATE", OWNER_ROLE, "true", "true")),
        policy("membership_roleassignment", Policy("own_updates", "UPDATE", APP_ROLE, OWN, OWN)),
        policy("membership_auditorappointment", Policy("appointer_updates", "UPDATE", APP_ROLE, OWN, OWN)),
        migrations.RunSQL(
            "GRANT UPDATE (suspended_at) ON membership_roleassignment TO consilium_app;"
            "GRANT UPDATE (until) ON membership_auditorappointment TO consilium_app;",
            "REVOKE UPDATE (suspended_at) ON membership_roleassignment FROM consilium_app;"
            "REVOKE UPDATE (until) ON membership_auditorappointment FROM consilium_app;",
        ),
        migrations.RunSQL(REDEEM, UNDO_REDEEM),
    ]
