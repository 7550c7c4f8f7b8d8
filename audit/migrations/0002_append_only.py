"""Nothing recorded is ever changed or deleted, and every record waits for its leaf.

The owner of the tables can put these triggers to sleep: that is what checkpoints on the chain are for.
"""

from django.db import migrations

TABLES = (
    "audit_auditlog",
    "audit_auditrecord",
    "audit_auditleaf",
    "audit_treenode",
    "audit_checkpoint",
    "audit_cosignature",
)

REFUSE = """
CREATE FUNCTION audit_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
"""
# As the owner, because no role but the system may touch the queue; the search path is fixed so that
# nobody can put a table of the same name before ours.
QUEUE = """
CREATE FUNCTION audit_queue_record() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO audit_pendingrecord (record_id, log_id) VALUES (NEW.id, NEW.log_id);
    RETURN NULL;
END $$;
CREATE TRIGGER audit_queue_record AFTER INSERT ON audit_auditrecord
    FOR EACH ROW EXECUTE FUNCTION audit_queue_record();
"""


def refuse(table: str, events: str = "UPDATE OR DELETE OR TRUNCATE") -> migrations.RunSQL:
    return migrations.RunSQL(
        f"CREATE TRIGGER append_only BEFORE {events} ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse_change();",
        f"DROP TRIGGER append_only ON {table};",
    )


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial"), ("common", "0001_roles")]
    operations = [
        migrations.RunSQL(REFUSE, "DROP FUNCTION audit_refuse_change();"),
        *(refuse(table) for table in TABLES),
        # Erasure and retention delete a personal field; nobody rewrites one.
        refuse("audit_personalfield", "UPDATE"),
        migrations.RunSQL(
            QUEUE, "DROP TRIGGER audit_queue_record ON audit_auditrecord; DROP FUNCTION audit_queue_record();"
        ),
    ]
