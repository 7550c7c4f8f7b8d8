"""The public half of the log's key stands beside what it signed, so that the web process needs no private key."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("audit", "0010_members_write")]
    operations = [
        migrations.AddField(
            model_name="checkpoint",
            name="key",
            field=models.TextField(blank=True, default="", verbose_name="key"),
        ),
    ]
