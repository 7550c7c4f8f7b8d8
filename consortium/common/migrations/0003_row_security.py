"""Who sees documents and remembered answers."""

from django.db import migrations

from consortium.common.row_security import CONSORTIA, EnableRowSecurity, Policy, private, system
from consortium.common.tenancy import APP_ROLE

MEMBER = f"consortium_id IN {CONSORTIA}"


class Migration(migrations.Migration):
    # The question which consortia one belongs to is answered by membership's tables.
    dependencies = [("common", "0002_blobs_and_answers"), ("membership", "0002_row_security")]
    operations = [
        EnableRowSecurity(
            "common_blob",
            [
                Policy("members_read", "SELECT", APP_ROLE, MEMBER),
                Policy("members_insert", "INSERT", APP_ROLE, check=MEMBER),
                *system(),
            ],
            app="SELECT, INSERT",
        ),
        EnableRowSecurity("common_rememberedanswer", [*private(), *system("SELECT")], system="SELECT"),
    ]
