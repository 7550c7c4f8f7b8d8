"""A plan remembers which plan its author began with."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("training", "0002_row_security")]
    operations = [
        migrations.AddField(
            model_name="plan",
            name="copied_from",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="copies",
                to="training.plan",
            ),
        ),
    ]
