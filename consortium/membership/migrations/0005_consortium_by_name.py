"""An applicant names a consortium by its public short name before it may see anything of it."""

from django.db import migrations

LOOKUP = """
CREATE POLICY lookups ON membership_consortium FOR SELECT TO consilium_owner USING (true);
CREATE FUNCTION consilium_consortium_named(wanted text) RETURNS uuid LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$ SELECT id FROM membership_consortium WHERE slug = wanted $$;
GRANT EXECUTE ON FUNCTION consilium_consortium_named(text) TO consilium_app, consilium_system;
"""
UNDO = """
DROP FUNCTION consilium_consortium_named(text);
DROP POLICY lookups ON membership_consortium;
"""


class Migration(migrations.Migration):
    dependencies = [("membership", "0004_channel_row_security")]
    operations = [migrations.RunSQL(LOOKUP, UNDO)]
