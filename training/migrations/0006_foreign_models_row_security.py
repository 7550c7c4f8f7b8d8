"""What other consortia's chains have proven: read by the members and auditors of the one that took it, written by the system."""

from django.db import migrations

from consortium.common.row_security import EnableRowSecurity, read_by_consortium, system


class Migration(migrations.Migration):
    dependencies = [("training", "0005_foreign_models")]
    operations = [
        EnableRowSecurity(f"training_{table}", [*read_by_consortium(), *system()], app="SELECT")
        for table in ("peer", "foreignmodel", "foreignstatement")
    ]
