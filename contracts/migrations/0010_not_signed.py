"""A lane can also stand still because what holds its key gives no signature."""

from django.db import migrations, models

CODES = ["not_authorized", "nonce_held", "not_mined", "not_signed"]


class Migration(migrations.Migration):
    dependencies = [("contracts", "0009_applied_marks")]
    operations = [
        migrations.RemoveConstraint("relayaccount", "stuck_with_code_and_time"),
        migrations.AlterField(
            "relayaccount",
            "stuck_code",
            models.CharField(
                blank=True,
                choices=[
                    ("not_authorized", "the nodes refuse the account"),
                    ("nonce_held", "a transaction that is not ours holds the nonce"),
                    ("not_mined", "blocks are made without its transactions"),
                    ("not_signed", "what holds its key gives no signature"),
                ],
                default="",
                max_length=20,
                verbose_name="stuck",
            ),
        ),
        migrations.AddConstraint(
            "relayaccount",
            models.CheckConstraint(
                condition=models.Q(stuck_code="", stuck_since__isnull=True)
                | models.Q(stuck_code__in=CODES, stuck_since__isnull=False),
                name="stuck_with_code_and_time",
            ),
        ),
    ]
