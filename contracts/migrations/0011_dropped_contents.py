"""Of old calls that are confirmed, bytes and arguments may go; what they are found and compared by stays."""

from django.db import migrations, models

SENT = ~models.Q(state__in=["submitted", "confirmed"]) | models.Q(raw__isnull=False, nonce__isnull=False) & ~models.Q(
    transaction_hash=""
)


class Migration(migrations.Migration):
    dependencies = [("contracts", "0010_not_signed")]
    operations = [
        migrations.AddField(
            "outboxtransaction",
            "contents_dropped_at",
            models.DateTimeField(blank=True, null=True, verbose_name="contents dropped"),
        ),
        migrations.AddField(
            "outboxtransaction",
            "arguments_digest",
            models.CharField(blank=True, default="", max_length=71, verbose_name="digest of the arguments"),
        ),
        migrations.RemoveConstraint("outboxtransaction", "sent_only_with_stored_bytes"),
        migrations.AddConstraint(
            "outboxtransaction",
            models.CheckConstraint(
                condition=SENT | models.Q(contents_dropped_at__isnull=False), name="sent_only_with_stored_bytes"
            ),
        ),
        migrations.AddConstraint(
            "outboxtransaction",
            models.CheckConstraint(
                condition=models.Q(contents_dropped_at__isnull=True, arguments_digest="")
                | models.Q(contents_dropped_at__isnull=False, state="confirmed", raw__isnull=True, arguments=[])
                & models.Q(nonce__isnull=False, block__isnull=False)
                & ~models.Q(transaction_hash="")
                & ~models.Q(arguments_digest=""),
                name="dropped_only_when_confirmed",
            ),
        ),
    ]
