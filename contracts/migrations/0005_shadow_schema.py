"""A place for replays: tables there are made and thrown away by the system's role, and no tenant's role sees them."""

from django.db import migrations

from consortium.common.tenancy import SYSTEM_ROLE

MAKE = f"CREATE SCHEMA consilium_shadow; GRANT USAGE, CREATE ON SCHEMA consilium_shadow TO {SYSTEM_ROLE};"


class Migration(migrations.Migration):
    dependencies = [("contracts", "0004_event_schemas"), ("common", "0001_roles")]
    operations = [migrations.RunSQL(MAKE, "DROP SCHEMA consilium_shadow")]
