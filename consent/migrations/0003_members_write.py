"""Only members anchor and register: an auditor's appointment opens reading alone."""

from django.db import migrations

from consortium.common.row_security import CONSORTIA, MEMBER_OF, ORGANIZATION, Policy, ReplacePolicy
from consortium.common.tenancy import APP_ROLE

TABLES = ("consentepoch", "revocationevent", "dataset")


def inserts(consortia: str) -> Policy:
    own = f"organization_id = {ORGANIZATION} AND consortium_id IN {consortia}"
    return Policy("author_inserts", "INSERT", APP_ROLE, check=own)


def updates(consortia: str) -> Policy:
    own = f"organization_id = {ORGANIZATION} AND consortium_id IN {consortia}"
    return Policy("author_updates", "UPDATE", APP_ROLE, own, own)


class Migration(migrations.Migration):
    dependencies = [("consent", "0002_row_security"), ("membership", "0009_members_alone")]
    operations = [
        ReplacePolicy(f"consent_{table}", policy(CONSORTIA), policy(MEMBER_OF))
        for table in TABLES
        for policy in (inserts, updates)
    ]
