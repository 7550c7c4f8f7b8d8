"""Only members keep documents: an auditor's appointment opens reading alone."""

from django.db import migrations

from consortium.common.row_security import CONSORTIA, MEMBER_OF, Policy, ReplacePolicy
from consortium.common.tenancy import APP_ROLE


def inserts(consortia: str) -> Policy:
    return Policy("members_insert", "INSERT", APP_ROLE, check=f"consortium_id IN {consortia}")


class Migration(migrations.Migration):
    dependencies = [("common", "0004_answers_to_persons"), ("membership", "0009_members_alone")]
    operations = [ReplacePolicy("common_blob", inserts(CONSORTIA), inserts(MEMBER_OF))]
