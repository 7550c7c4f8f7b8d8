"""A bundle is its organization's own: it shows what that member may see, its own consents among it."""

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

OWN = f"organization_id = {ORGANIZATION}"


class Migration(migrations.Migration):
    dependencies = [("audit", "0004_bundles_and_witnesses"), ("membership", "0002_row_security")]
    operations = [
        EnableRowSecurity(
            "audit_bundle",
            [
                Policy("own_reads", "SELECT", APP_ROLE, OWN),
                Policy("members_ask", "INSERT", APP_ROLE, check=f"{OWN} AND consortium_id IN {CONSORTIA}"),
                Policy("own_builds", "UPDATE", APP_ROLE, OWN, f"{OWN} AND consortium_id IN {CONSORTIA}"),
                # The sweep looks for those whose builder died.
                *system("SELECT"),
            ],
            app="SELECT, INSERT, UPDATE",
            system="SELECT",
        ),
        EnableRowSecurity("audit_witnessrule", [*read_by_consortium(), *system()], app="SELECT"),
    ]
