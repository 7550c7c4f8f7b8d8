"""What waits is found consortium by consortium, so that one's long queue costs the others nothing."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contracts", "0007_block_proofs")]
    operations = [
        migrations.AddIndex(
            "outboxtransaction",
            models.Index(
                condition=models.Q(("state", "recorded")),
                fields=["consortium_id", "position"],
                name="outbox_waiting_of_one",
            ),
        ),
        migrations.RemoveIndex("outboxtransaction", "outbox_waiting"),
    ]
