"""Who sees which log: its own organization, or its consortium's members; the system alone builds trees."""

from django.db import migrations

from consortium.common.row_security import CONSORTIA, ORGANIZATION, EnableRowSecurity, Policy, system
from consortium.common.tenancy import APP_ROLE, OWNER_ROLE

OWN_LOG = f"organization_id = {ORGANIZATION} OR consortium_id IN {CONSORTIA}"
# Read through the log's own policy, so that there is one rule of who sees a log.
VISIBLE_LOG = "log_id IN (SELECT id FROM audit_auditlog)"
VISIBLE_CHECKPOINT = "EXISTS (SELECT 1 FROM audit_checkpoint WHERE audit_checkpoint.id = checkpoint_id)"
ACTS_FOR_ITSELF = f"(actor_organization_id IS NULL OR actor_organization_id = {ORGANIZATION})"


class Migration(migrations.Migration):
    dependencies = [("audit", "0002_append_only"), ("membership", "0002_row_security")]
    operations = [
        EnableRowSecurity(
            "audit_auditlog",
            [
                Policy("readers", "SELECT", APP_ROLE, OWN_LOG),
                Policy("writers_open", "INSERT", APP_ROLE, check=f"({OWN_LOG}) AND origin LIKE '%/logs/' || id"),
                *system(),
            ],
            app="SELECT, INSERT",
            system="SELECT, INSERT",
        ),
        EnableRowSecurity(
            "audit_auditrecord",
            [
                Policy("readers", "SELECT", APP_ROLE, VISIBLE_LOG),
                Policy("writers", "INSERT", APP_ROLE, check=f"{VISIBLE_LOG} AND {ACTS_FOR_ITSELF}"),
                *system(),
            ],
            app="SELECT, INSERT",
            system="SELECT, INSERT",
        ),
        EnableRowSecurity(
            "audit_pendingrecord",
            [Policy("trigger_queues", "INSERT", OWNER_ROLE, check="true"), *system()],
            app="",
            system="SELECT, DELETE",
        ),
        EnableRowSecurity(
            "audit_personalfield",
            [
                Policy("own_reads", "SELECT", APP_ROLE, f"organization_id = {ORGANIZATION}"),
                Policy("own_inserts", "INSERT", APP_ROLE, check=f"organization_id IS NOT DISTINCT FROM {ORGANIZATION}"),
                Policy("own_erases", "DELETE", APP_ROLE, f"organization_id = {ORGANIZATION}"),
                *system(),
            ],
            app="SELECT, INSERT, DELETE",
            system="SELECT, INSERT, DELETE",
        ),
        EnableRowSecurity(
            "audit_auditleaf",
            [Policy("readers", "SELECT", APP_ROLE, VISIBLE_LOG), *system()],
            app="SELECT",
            system="SELECT, INSERT",
        ),
        EnableRowSecurity(
            "audit_treenode",
            [Policy("readers", "SELECT", APP_ROLE, VISIBLE_LOG), *system()],
            app="SELECT",
            system="SELECT, INSERT",
        ),
        EnableRowSecurity(
            "audit_checkpoint",
            [
                Policy("readers_and_witnesses", "SELECT", APP_ROLE, f"{VISIBLE_LOG} OR consortium_id IN {CONSORTIA}"),
                *system(),
            ],
            app="SELECT",
            system="SELECT, INSERT",
        ),
        EnableRowSecurity(
            "audit_cosignature",
            [
                Policy("readers_and_witnesses", "SELECT", APP_ROLE, VISIBLE_CHECKPOINT),
                Policy(
                    "witness_inserts",
                    "INSERT",
                    APP_ROLE,
                    check=f"organization_id = {ORGANIZATION} AND {VISIBLE_CHECKPOINT}",
                ),
                *system(),
            ],
            app="SELECT, INSERT",
            system="SELECT, INSERT",
        ),
        EnableRowSecurity(
            "audit_anchor",
            [Policy("readers_and_witnesses", "SELECT", APP_ROLE, VISIBLE_CHECKPOINT), *system()],
            app="SELECT",
            system="SELECT, INSERT, UPDATE",
        ),
    ]
