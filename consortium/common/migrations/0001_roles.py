"""What every table builds on: the roles' privileges and the two questions that policies ask."""

from django.db import migrations

PRIVILEGES = """
GRANT USAGE ON SCHEMA public TO consilium_app, consilium_system;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO consilium_app, consilium_system;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO consilium_app, consilium_system;
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
GRANT SELECT ON django_migrations TO consilium_app, consilium_system;
"""

QUESTIONS = """
CREATE FUNCTION consilium_organization() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('app.organization', true), '')::uuid $$;
CREATE FUNCTION consilium_person() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE
    AS $$ SELECT nullif(current_setting('app.person', true), '')::uuid $$;
GRANT EXECUTE ON FUNCTION consilium_organization(), consilium_person()
    TO consilium_app, consilium_system, consilium_owner;
"""


class Migration(migrations.Migration):
    initial = True
    # The default privileges have to stand before any table is made.
    run_before = [
        ("membership", "0001_initial"),
        ("contenttypes", "0001_initial"),
        ("auth", "0001_initial"),
        ("sessions", "0001_initial"),
        ("account", "0001_initial"),
    ]
    dependencies: list[tuple[str, str]] = []
    operations = [
        migrations.RunSQL(PRIVILEGES, migrations.RunSQL.noop),
        migrations.RunSQL(QUESTIONS, "DROP FUNCTION consilium_organization(); DROP FUNCTION consilium_person();"),
    ]
