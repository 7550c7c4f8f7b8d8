"""Who sees proposals and ballots: the consortium's members; each writes its own, and only the chain decides."""

from django.db import migrations

from consortium.common.row_security import (
    CONSORTIA,
    ORGANIZATION,
    EnableRowSecurity,
    Policy,
    read_by_consortium,
    system,
)
from consortium.common.tenancy import APP_ROLE

OWN = f"consortium_id IN {CONSORTIA} AND organization_id = {ORGANIZATION}"


class Migration(migrations.Migration):
    dependencies = [("governance", "0001_initial"), ("membership", "0004_channel_row_security")]
    operations = [
        EnableRowSecurity("governance_decisionrule", [*read_by_consortium(), *system()], app="SELECT"),
        EnableRowSecurity(
            "governance_proposal",
            [*read_by_consortium(), Policy("own_inserts", "INSERT", APP_ROLE, check=OWN), *system()],
            app="SELECT, INSERT",
        ),
        EnableRowSecurity(
            "governance_ballot",
            [*read_by_consortium(), Policy("own_inserts", "INSERT", APP_ROLE, check=OWN), *system()],
            app="SELECT, INSERT",
        ),
    ]
