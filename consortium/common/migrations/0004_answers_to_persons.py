"""Answers to a person who acts for no organization: an auditor's are theirs alone."""

from django.db import migrations, models

from consortium.common.row_security import ORGANIZATION, PERSON, Policy, ReplacePolicy
from consortium.common.tenancy import APP_ROLE

OWN = f"organization_id = {ORGANIZATION}"
OWN_OR_PERSONS = f"{OWN} OR organization_id IS NULL AND principal = {PERSON}::text"


class Migration(migrations.Migration):
    dependencies = [("common", "0003_row_security")]
    operations = [
        migrations.AlterField(
            model_name="rememberedanswer",
            name="organization_id",
            field=models.UUIDField(blank=True, null=True),
        ),
        migrations.AddConstraint(
            model_name="rememberedanswer",
            constraint=models.UniqueConstraint(
                condition=models.Q(("organization_id__isnull", True)),
                fields=("principal", "route", "key"),
                name="answer_once_a_key_of_a_person",
            ),
        ),
        ReplacePolicy(
            "common_rememberedanswer",
            Policy("tenant", "ALL", APP_ROLE, OWN, OWN),
            Policy("tenant", "ALL", APP_ROLE, OWN_OR_PERSONS, OWN_OR_PERSONS),
        ),
    ]
