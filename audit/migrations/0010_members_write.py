"""Only members open a consortium's log, write and witness it; its auditor's exports are the one act recorded there."""

from django.db import migrations

from consortium.common.row_security import AUDITS, CONSORTIA, MEMBER_OF, ORGANIZATION, PERSON, Policy, ReplacePolicy
from consortium.common.tenancy import APP_ROLE

VISIBLE_LOG = "log_id IN (SELECT id FROM audit_auditlog)"
VISIBLE_CHECKPOINT = "EXISTS (SELECT 1 FROM audit_checkpoint WHERE audit_checkpoint.id = checkpoint_id)"
ACTS_FOR_ITSELF = f"(actor_organization_id IS NULL OR actor_organization_id = {ORGANIZATION})"
# S608: what these texts are made of stands in this file and in row_security.
WRITABLE_LOG = (
    f"log_id IN (SELECT id FROM audit_auditlog WHERE organization_id = {ORGANIZATION} OR consortium_id IN {MEMBER_OF})"  # noqa: S608
)
AUDITED_LOG = f"log_id IN (SELECT id FROM audit_auditlog WHERE consortium_id IN {AUDITS})"  # noqa: S608
EXPORT = "action = 'audit.bundle.export' AND actor_kind = 'person' AND actor_organization_id IS NULL"
WITNESSED = (
    "EXISTS (SELECT 1 FROM audit_checkpoint WHERE audit_checkpoint.id = checkpoint_id "  # noqa: S608
    f"AND audit_checkpoint.consortium_id IN {MEMBER_OF})"
)
OWN = f"organization_id = {ORGANIZATION}"
AUDITORS = f"organization_id IS NULL AND person_id = {PERSON} AND consortium_id IN {AUDITS}"


def opens(consortia: str) -> Policy:
    own_log = f"organization_id = {ORGANIZATION} OR consortium_id IN {consortia}"
    return Policy("writers_open", "INSERT", APP_ROLE, check=f"({own_log}) AND origin LIKE '%/logs/' || id")


def writes(log: str) -> Policy:
    return Policy("writers", "INSERT", APP_ROLE, check=f"{log} AND {ACTS_FOR_ITSELF}")


def witnesses(checkpoint: str) -> Policy:
    return Policy("witness_inserts", "INSERT", APP_ROLE, check=f"{OWN} AND {checkpoint}")


def asks(consortia: str) -> Policy:
    return Policy("exporters_ask", "INSERT", APP_ROLE, check=f"{OWN} AND consortium_id IN {consortia} OR {AUDITORS}")


def builds(consortia: str) -> Policy:
    check = f"{OWN} AND consortium_id IN {consortia} OR {AUDITORS}"
    return Policy("own_builds", "UPDATE", APP_ROLE, f"{OWN} OR {AUDITORS}", check)


AUDITORS_RECORD = Policy("auditors_exports", "INSERT", APP_ROLE, check=f"{AUDITED_LOG} AND {EXPORT}")


class Migration(migrations.Migration):
    dependencies = [("audit", "0009_auditors_bundles"), ("membership", "0009_members_alone")]
    operations = [
        ReplacePolicy("audit_auditlog", opens(CONSORTIA), opens(MEMBER_OF)),
        ReplacePolicy("audit_auditrecord", writes(VISIBLE_LOG), writes(WRITABLE_LOG)),
        migrations.RunSQL(
            AUDITORS_RECORD.create("audit_auditrecord"), "DROP POLICY auditors_exports ON audit_auditrecord;"
        ),
        ReplacePolicy("audit_cosignature", witnesses(VISIBLE_CHECKPOINT), witnesses(WITNESSED)),
        ReplacePolicy("audit_bundle", asks(CONSORTIA), asks(MEMBER_OF)),
        ReplacePolicy("audit_bundle", builds(CONSORTIA), builds(MEMBER_OF)),
    ]
