"""Each stream has a mark of what is applied, so that applying an event writes nothing to the event."""

from typing import Any

from django.db import migrations, models

from consortium.common.row_security import EnableRowSecurity, owner_reads, read_by_consortium, system

# The owner sees and changes rows of a table with forced policies only while they are not forced.
MARKS = """
ALTER TABLE contracts_chaincursor NO FORCE ROW LEVEL SECURITY;
ALTER TABLE contracts_chaineventrecord NO FORCE ROW LEVEL SECURITY;
INSERT INTO contracts_appliedmark (consortium_id, block_number, log_index)
SELECT cursor.consortium_id, coalesce(last.block_number, -1), coalesce(last.log_index, -1)
  FROM contracts_chaincursor AS cursor
  LEFT JOIN LATERAL (
       SELECT block_number, log_index FROM contracts_chaineventrecord AS event
        WHERE event.consortium_id = cursor.consortium_id AND applied_at IS NOT NULL
        ORDER BY block_number DESC, log_index DESC LIMIT 1) AS last ON true;
UPDATE contracts_chaineventrecord AS event SET is_late = true
  FROM contracts_appliedmark AS mark
 WHERE mark.consortium_id = event.consortium_id AND event.applied_at IS NULL
   AND (event.block_number, event.log_index) <= (mark.block_number, mark.log_index);
UPDATE contracts_chaineventrecord SET retry_at = NULL WHERE applied_at IS NOT NULL AND retry_at IS NOT NULL;
ALTER TABLE contracts_chaineventrecord FORCE ROW LEVEL SECURITY;
ALTER TABLE contracts_chaincursor FORCE ROW LEVEL SECURITY;
"""
TIMES = """
ALTER TABLE contracts_chaineventrecord NO FORCE ROW LEVEL SECURITY;
UPDATE contracts_chaineventrecord AS event SET applied_at = now()
  FROM contracts_appliedmark AS mark
 WHERE mark.consortium_id = event.consortium_id AND NOT event.is_late
   AND (event.block_number, event.log_index) <= (mark.block_number, mark.log_index);
ALTER TABLE contracts_chaineventrecord FORCE ROW LEVEL SECURITY;
"""
HEALTH = """
CREATE OR REPLACE FUNCTION consilium_chain_health(
    OUT oldest_unsent timestamptz, OUT oldest_in_flight timestamptz, OUT unsent bigint, OUT in_flight bigint, OUT faulty_outcomes bigint,
    OUT streams bigint, OUT lowest_position bigint, OUT failed_streams bigint
) LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT
        (SELECT min(created_at) FROM contracts_outboxtransaction WHERE state = 'recorded'),
        (SELECT min(submitted_at) FROM contracts_outboxtransaction WHERE state = 'submitted'),
        (SELECT count(*) FROM contracts_outboxtransaction WHERE state = 'recorded'),
        (SELECT count(*) FROM contracts_outboxtransaction WHERE state = 'submitted'),
        (SELECT count(*) FROM contracts_outboxtransaction
          WHERE state IN ('confirmed', 'failed') AND outcome_delivered_at IS NULL AND outcome_error <> ''),
        (SELECT count(*) FROM contracts_chaincursor),
        (SELECT min(position) FROM contracts_chaincursor),
        (SELECT count(*) FROM contracts_chaincursor c WHERE c.halted_text <> '' OR EXISTS (
            SELECT 1 FROM contracts_chaineventrecord e WHERE e.consortium_id = c.consortium_id AND {failed}))
$$;
"""
FAILED, FAILED_BEFORE = "e.retry_at IS NOT NULL", "e.applied_at IS NULL AND e.failed_text <> ''"
EVENT = "chaineventrecord"


def _index(name: str, condition: models.Q, *fields: str) -> Any:
    return migrations.AddIndex(EVENT, models.Index(condition=condition, fields=list(fields), name=name))


class Migration(migrations.Migration):
    dependencies = [("contracts", "0008_waiting_of_one")]
    operations = [
        migrations.CreateModel(
            name="AppliedMark",
            fields=[
                ("consortium_id", models.UUIDField(primary_key=True, serialize=False, verbose_name="consortium")),
                ("block_number", models.BigIntegerField(default=-1, verbose_name="block")),
                ("log_index", models.BigIntegerField(default=-1, verbose_name="place in the block")),
            ],
            options={
                "verbose_name": "mark of what is applied",
                "verbose_name_plural": "marks of what is applied",
            },
        ),
        migrations.AddField(EVENT, "is_late", models.BooleanField(default=False, verbose_name="came behind the mark")),
        migrations.RunSQL(MARKS, TIMES),
        EnableRowSecurity("contracts_appliedmark", [*read_by_consortium(), *system(), *owner_reads()], app="SELECT"),
        migrations.RunSQL(HEALTH.format(failed=FAILED), HEALTH.format(failed=FAILED_BEFORE)),
        migrations.RemoveIndex(EVENT, "events_to_apply"),
        migrations.RemoveField(EVENT, "applied_at"),
        _index("events_late", models.Q(is_late=True), "consortium_id", "block_number", "log_index"),
        _index("events_failed", models.Q(retry_at__isnull=False), "consortium_id"),
    ]
