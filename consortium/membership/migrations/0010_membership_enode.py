"""Where other nodes reach a member's node."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("membership", "0009_members_alone")]
    operations = [
        migrations.AddField(
            model_name="membership",
            name="enode",
            field=models.CharField(blank=True, default="", max_length=220, verbose_name="node"),
        ),
    ]
