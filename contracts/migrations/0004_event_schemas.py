"""Each contract's events have a form with a name, kept with the contract and with what it said."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("contracts", "0003_members_write")]
    operations = [
        migrations.AddField(
            "contractdeployment",
            "schema",
            models.CharField(blank=True, default="", max_length=16, verbose_name="schema of its events"),
        ),
        migrations.AddField(
            "chaineventrecord",
            "schema",
            models.CharField(blank=True, default="", max_length=16, verbose_name="schema of the contract's events"),
        ),
    ]
