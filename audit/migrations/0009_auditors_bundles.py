"""A bundle without an organization is its auditor's own, as long as that person is appointed."""

from django.db import migrations, models

from consortium.common.row_security import AUDITS, CONSORTIA, ORGANIZATION, PERSON, Policy, ReplacePolicy
from consortium.common.tenancy import APP_ROLE

OWN = f"organization_id = {ORGANIZATION}"
MEMBERS = f"{OWN} AND consortium_id IN {CONSORTIA}"
AUDITORS = f"organization_id IS NULL AND person_id = {PERSON} AND consortium_id IN {AUDITS}"


class Migration(migrations.Migration):
    dependencies = [("audit", "0008_bundle_periods"), ("membership", "0008_auditors")]
    operations = [
        migrations.AlterField(
            model_name="bundle",
            name="organization_id",
            field=models.UUIDField(blank=True, null=True, verbose_name="organization"),
        ),
        ReplacePolicy(
            "audit_bundle",
            Policy("own_reads", "SELECT", APP_ROLE, OWN),
            Policy("own_reads", "SELECT", APP_ROLE, f"{OWN} OR {AUDITORS}"),
        ),
        ReplacePolicy(
            "audit_bundle",
            Policy("members_ask", "INSERT", APP_ROLE, check=MEMBERS),
            Policy("exporters_ask", "INSERT", APP_ROLE, check=f"{MEMBERS} OR {AUDITORS}"),
        ),
        ReplacePolicy(
            "audit_bundle",
            Policy("own_builds", "UPDATE", APP_ROLE, OWN, MEMBERS),
            Policy("own_builds", "UPDATE", APP_ROLE, f"{OWN} OR {AUDITORS}", f"{MEMBERS} OR {AUDITORS}"),
        ),
    ]
