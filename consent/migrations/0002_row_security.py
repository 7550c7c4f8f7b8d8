"""Who sees consents: their organization alone; epochs, revocations and data sets its consortium."""

from django.db import migrations

from consent.services.purposes import fill_purposes
from consortium.common.row_security import CONSORTIA, ORGANIZATION, EnableRowSecurity, Policy, private, system
from consortium.common.tenancy import APP_ROLE, OWNER_ROLE, SYSTEM_ROLE


def of_consortium() -> list[Policy]:
    """As these policies were here; 0003 lets members alone write."""
    own = f"organization_id = {ORGANIZATION} AND consortium_id IN {CONSORTIA}"
    return [
        Policy("members_read", "SELECT", APP_ROLE, f"consortium_id IN {CONSORTIA}"),
        Policy("author_inserts", "INSERT", APP_ROLE, check=own),
        Policy("author_updates", "UPDATE", APP_ROLE, own, own),
    ]


def fill(apps, schema_editor):
    fill_purposes(apps.get_model("consent", "Purpose").objects)


def nothing(apps, schema_editor):
    """The table goes with the migration before."""


class Migration(migrations.Migration):
    dependencies = [("consent", "0001_initial"), ("membership", "0004_channel_row_security")]
    operations = [
        EnableRowSecurity(
            "consent_purpose",
            [
                Policy("everybody_reads", "SELECT", APP_ROLE, "true"),
                Policy("system_reads", "SELECT", SYSTEM_ROLE, "true"),
                # FORCE binds the owner too, and migrations fill this table of public words.
                Policy("migrations_fill", "ALL", OWNER_ROLE, "true", "true"),
            ],
            app="SELECT",
            system="SELECT",
        ),
        migrations.RunPython(fill, nothing),
        # The system's processes have no business with what a subject permits.
        EnableRowSecurity("consent_consentbatch", private(), app="SELECT, INSERT", system=""),
        EnableRowSecurity("consent_grant", private(), app="SELECT, INSERT, UPDATE", system=""),
        EnableRowSecurity("consent_effectiverule", private(), system=""),
        # The projector confirms withdrawals.
        EnableRowSecurity(
            "consent_withdrawal", [*private(), *system()], app="SELECT, INSERT, UPDATE", system="SELECT, UPDATE"
        ),
        EnableRowSecurity(
            "consent_withdrawaleffect", [*private(), *system()], app="SELECT, INSERT, UPDATE", system="SELECT, UPDATE"
        ),
        EnableRowSecurity(
            "consent_consentepoch",
            [*of_consortium(), *system()],
            app="SELECT, INSERT",
            system="SELECT, INSERT, UPDATE",
        ),
        EnableRowSecurity(
            "consent_revocationevent",
            [*of_consortium(), *system()],
            app="SELECT, INSERT",
            system="SELECT, INSERT, UPDATE",
        ),
        EnableRowSecurity(
            "consent_dataset", [*of_consortium(), *system("SELECT")], app="SELECT, INSERT", system="SELECT"
        ),
    ]
