"""Who sees vetoes: the consortium's members; a guardian writes its own, and only the chain decides."""

from django.db import migrations

from consortium.common.row_security import (
    MEMBER_OF,
    ORGANIZATION,
    EnableRowSecurity,
    Policy,
    read_by_consortium,
    system,
)
from consortium.common.tenancy import APP_ROLE

OWN = f"consortium_id IN {MEMBER_OF} AND organization_id = {ORGANIZATION}"


class Migration(migrations.Migration):
    dependencies = [("governance", "0004_vetoes")]
    operations = [
        EnableRowSecurity("governance_guardianrule", [*read_by_consortium(), *system()], app="SELECT"),
        EnableRowSecurity(
            "governance_veto",
            [*read_by_consortium(), Policy("own_inserts", "INSERT", APP_ROLE, check=OWN), *system()],
            app="SELECT, INSERT",
        ),
    ]
