"""Only members propose and vote: an auditor's appointment opens reading alone."""

from django.db import migrations

from consortium.common.row_security import CONSORTIA, MEMBER_OF, ORGANIZATION, Policy, ReplacePolicy
from consortium.common.tenancy import APP_ROLE


def inserts(consortia: str) -> Policy:
    own = f"consortium_id IN {consortia} AND organization_id = {ORGANIZATION}"
    return Policy("own_inserts", "INSERT", APP_ROLE, check=own)


class Migration(migrations.Migration):
    dependencies = [("governance", "0002_row_security"), ("membership", "0009_members_alone")]
    operations = [
        ReplacePolicy(f"governance_{table}", inserts(CONSORTIA), inserts(MEMBER_OF)) for table in ("proposal", "ballot")
    ]
