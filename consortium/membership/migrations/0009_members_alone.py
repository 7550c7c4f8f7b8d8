"""In which consortia an organization may act: asked by policies of writing, which an auditor's appointment does not open."""

from django.db import migrations

# Runs as the owner, whose own policy lets it read memberships.
MEMBER_OF = """
CREATE FUNCTION consilium_member_of() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT consortium_id FROM membership_membership
     WHERE organization_id = consilium_organization() AND status IN ('active', 'suspended')
$$;
GRANT EXECUTE ON FUNCTION consilium_member_of() TO consilium_app, consilium_system;
"""


class Migration(migrations.Migration):
    dependencies = [("membership", "0008_auditors")]
    operations = [migrations.RunSQL(MEMBER_OF, "DROP FUNCTION consilium_member_of();")]
