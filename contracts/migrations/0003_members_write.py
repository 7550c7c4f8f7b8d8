"""Only members ask for calls of the chain: an auditor's appointment opens reading alone."""

from django.db import migrations

from consortium.common.row_security import CONSORTIA, MEMBER_OF, ORGANIZATION, Policy, ReplacePolicy
from consortium.common.tenancy import APP_ROLE


def asks(consortia: str) -> Policy:
    # As in the first migration of these policies, but for the consortia.
    check = (
        f"organization_id = {ORGANIZATION} AND consortium_id IN {consortia} AND state = 'recorded' "
        "AND function NOT IN ('constructor', 'fill_nonce') AND sender = '' AND nonce IS NULL AND raw IS NULL "
        "AND transaction_hash = ''"
    )
    return Policy("author_asks", "INSERT", APP_ROLE, check=check)


class Migration(migrations.Migration):
    dependencies = [("contracts", "0002_row_security"), ("membership", "0009_members_alone")]
    operations = [ReplacePolicy("contracts_outboxtransaction", asks(CONSORTIA), asks(MEMBER_OF))]
