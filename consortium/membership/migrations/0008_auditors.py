"""Of which consortia a person is auditor now: asked by the policies of what is an auditor's own."""

from django.db import migrations

# Runs as the owner, whose own policy lets it read appointments.
AUDITS = """
CREATE FUNCTION consilium_audits() RETURNS SETOF uuid LANGUAGE sql STABLE SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
    SELECT consortium_id FROM membership_auditorappointment
     WHERE user_id = consilium_person() AND (until IS NULL OR until > now())
$$;
GRANT EXECUTE ON FUNCTION consilium_audits() TO consilium_app, consilium_system;
"""


class Migration(migrations.Migration):
    dependencies = [("membership", "0007_invitations_row_security")]
    operations = [migrations.RunSQL(AUDITS, "DROP FUNCTION consilium_audits();")]
