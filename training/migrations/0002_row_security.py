"""Members read plans, runs, rounds and models; the author's organization drafts, starts and orders; the system writes."""

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

OWN = f"organization_id = {ORGANIZATION} AND consortium_id IN {CONSORTIA}"
# A run that a member asks for has neither lease nor anything that the chain or the system alone may say, and
# is of a plan that the member wrote.
# S608: what these texts are made of stands in this file.
ASKED_RUN = OWN + (  # noqa: S608
    " AND state = 'planned' AND fence = 0 AND lease_until IS NULL AND lease_holder = '' AND weights = '' "
    "AND chain_state = 'recorded' AND EXISTS (SELECT 1 FROM training_plan WHERE training_plan.id = plan_id "
    "AND training_plan.organization_id = training_run.organization_id "
    "AND training_plan.consortium_id = training_run.consortium_id AND training_plan.state = 'approved')"
)
OWN_RUN = OWN + (  # noqa: S608
    " AND obeyed_at IS NULL AND EXISTS (SELECT 1 FROM training_run WHERE training_run.id = run_id "
    "AND training_run.organization_id = training_runorder.organization_id "
    "AND training_run.consortium_id = training_runorder.consortium_id)"
)
ERRANDS = "EXISTS (SELECT 1 FROM training_attempt WHERE training_attempt.id = attempt_id)"


def inserts(check: str) -> Policy:
    return Policy("author_inserts", "INSERT", APP_ROLE, check=check)


class Migration(migrations.Migration):
    dependencies = [("training", "0001_initial"), ("governance", "0002_row_security")]
    operations = [
        EnableRowSecurity(
            "training_plan",
            [*read_by_consortium(), inserts(f"{OWN} AND state = 'draft' AND proposal_id IS NULL"), *system()],
            app="SELECT, INSERT",
        ),
        EnableRowSecurity("training_run", [*read_by_consortium(), inserts(ASKED_RUN), *system()], app="SELECT, INSERT"),
        EnableRowSecurity(
            "training_runorder", [*read_by_consortium(), inserts(OWN_RUN), *system()], app="SELECT, INSERT"
        ),
        *(
            EnableRowSecurity(f"training_{table}", [*read_by_consortium(), *system()], app="SELECT")
            for table in ("round", "attempt", "sitepart", "lineagerow", "model")
        ),
        EnableRowSecurity(
            "training_errand",
            [Policy("members_read", "SELECT", APP_ROLE, ERRANDS), *system()],
            app="SELECT",
        ),
    ]
