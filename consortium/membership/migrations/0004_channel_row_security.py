"""Who sees the work that waits for a site, and the look-up of a site's key before its agent is known."""

from django.db import migrations

from consortium.common.row_security import EnableRowSecurity, private, system

LOOKUP = """
CREATE FUNCTION consilium_knows_site_key(organization uuid, site_key text) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT EXISTS (
        SELECT 1 FROM membership_organizationkey k JOIN membership_membership m ON m.id = k.membership_id
         WHERE m.organization_id = organization AND m.status <> 'removed' AND k.purpose = 'site'
           AND k.retired_at_block IS NULL AND lower(k.address) = lower(site_key))
$$;
CREATE POLICY lookups ON membership_organizationkey FOR SELECT TO consilium_owner USING (true);
GRANT EXECUTE ON FUNCTION consilium_knows_site_key(uuid, text) TO consilium_app, consilium_system;
"""
UNDO = """
DROP POLICY lookups ON membership_organizationkey;
DROP FUNCTION consilium_knows_site_key(uuid, text);
"""


class Migration(migrations.Migration):
    dependencies = [("membership", "0003_channel")]
    operations = [
        migrations.RunSQL(LOOKUP, UNDO),
        EnableRowSecurity("membership_workitem", [*private(), *system()], app="SELECT, UPDATE"),
        EnableRowSecurity("membership_sitepresence", [*private(), *system()], app="SELECT, INSERT, UPDATE"),
    ]
