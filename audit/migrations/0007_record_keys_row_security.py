"""Keys are the projector's: no member needs to see them."""

from django.db import migrations

from consortium.common.row_security import EnableRowSecurity, system


class Migration(migrations.Migration):
    dependencies = [("audit", "0006_record_keys"), ("membership", "0002_row_security")]
    operations = [EnableRowSecurity("audit_recordkey", system(), app="", system="SELECT, INSERT")]
