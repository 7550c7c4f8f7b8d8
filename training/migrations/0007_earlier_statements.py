"""What other consortia's chains had proven before there were rows for it is handed to its handlers once."""

from django.db import migrations

# The owner sees and changes rows of a table with forced policies only while they are not forced. Only what is applied
# is late: an event above the mark waits as it is. Nobody else hears these events.
HEAR = """
ALTER TABLE contracts_chaineventrecord NO FORCE ROW LEVEL SECURITY;
ALTER TABLE contracts_appliedmark NO FORCE ROW LEVEL SECURITY;
UPDATE contracts_chaineventrecord AS event SET is_late = true
  FROM contracts_appliedmark AS mark
 WHERE mark.consortium_id = event.consortium_id
   AND (event.block_number, event.log_index) <= (mark.block_number, mark.log_index)
   AND (event.contract = 'CrossConsortiumInbox' OR event.contract = 'ConsortiumRegistry' AND event.name = 'PeerSet');
ALTER TABLE contracts_appliedmark FORCE ROW LEVEL SECURITY;
ALTER TABLE contracts_chaineventrecord FORCE ROW LEVEL SECURITY;
"""


class Migration(migrations.Migration):
    dependencies = [("training", "0006_foreign_models_row_security"), ("contracts", "0009_applied_marks")]
    operations = [migrations.RunSQL(HEAR, migrations.RunSQL.noop)]
