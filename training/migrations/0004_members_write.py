"""Only members draft, start and order: an auditor's appointment opens reading alone."""

from django.db import migrations

from consortium.common.row_security import CONSORTIA, MEMBER_OF, ORGANIZATION, Policy, ReplacePolicy
from consortium.common.tenancy import APP_ROLE

# As in the first migration of these policies, but for the consortia.
# S608: what these texts are made of stands in this file.
RULES = {
    "plan": " AND state = 'draft' AND proposal_id IS NULL",
    "run": (
        " AND state = 'planned' AND fence = 0 AND lease_until IS NULL AND lease_holder = '' AND weights = '' "
        "AND chain_state = 'recorded' AND EXISTS (SELECT 1 FROM training_plan WHERE training_plan.id = plan_id "
        "AND training_plan.organization_id = training_run.organization_id "
        "AND training_plan.consortium_id = training_run.consortium_id AND training_plan.state = 'approved')"
    ),
    "runorder": (
        " AND obeyed_at IS NULL AND EXISTS (SELECT 1 FROM training_run WHERE training_run.id = run_id "
        "AND training_run.organization_id = training_runorder.organization_id "
        "AND training_run.consortium_id = training_runorder.consortium_id)"
    ),
}


def inserts(consortia: str, rule: str) -> Policy:
    own = f"organization_id = {ORGANIZATION} AND consortium_id IN {consortia}"
    return Policy("author_inserts", "INSERT", APP_ROLE, check=own + rule)


class Migration(migrations.Migration):
    dependencies = [("training", "0003_plan_copied_from"), ("membership", "0009_members_alone")]
    operations = [
        ReplacePolicy(f"training_{table}", inserts(CONSORTIA, rule), inserts(MEMBER_OF, rule))
        for table, rule in RULES.items()
    ]
