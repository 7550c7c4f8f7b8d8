"""Several accounts send, each a lane: which is stuck and why, and which calls one of them alone may send."""

from django.db import migrations, models

from consortium.common.row_security import MEMBER_OF, ORGANIZATION, Policy, ReplacePolicy, owner_reads
from consortium.common.tenancy import APP_ROLE

TABLE = "contracts_relayaccount"
CODES = ["not_authorized", "nonce_held", "not_mined"]
LOOKUPS = owner_reads()[0]

# For probes, which see no row: accounts are public on the chain, and nothing of what they send is told.
LANES = """
CREATE FUNCTION consilium_lanes() RETURNS TABLE (address text, in_flight bigint, stuck_code text, stuck_since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT a.address, (SELECT count(*) FROM contracts_outboxtransaction t
                        WHERE t.sender = a.address AND t.state = 'submitted'), a.stuck_code, a.stuck_since
      FROM contracts_relayaccount a ORDER BY a.address
$$;
GRANT EXECUTE ON FUNCTION consilium_lanes() TO consilium_app, consilium_system;
"""


def asks(more: str = "") -> Policy:
    # As before, but that a member names no account either.
    check = (
        f"organization_id = {ORGANIZATION} AND consortium_id IN {MEMBER_OF} AND state = 'recorded' "
        "AND function NOT IN ('constructor', 'fill_nonce') AND sender = '' AND nonce IS NULL AND raw IS NULL "
        f"AND transaction_hash = ''{more}"
    )
    return Policy("author_asks", "INSERT", APP_ROLE, check=check)


class Migration(migrations.Migration):
    dependencies = [("contracts", "0005_shadow_schema")]
    operations = [
        migrations.AddField(
            "outboxtransaction",
            "only_sender",
            models.CharField(blank=True, default="", max_length=42, verbose_name="only sender"),
        ),
        migrations.AddField(
            "outboxtransaction",
            "lost_nonces",
            models.PositiveSmallIntegerField(default=0, verbose_name="lost nonces"),
        ),
        ReplacePolicy("contracts_outboxtransaction", asks(), asks(" AND only_sender = ''")),
        migrations.AddField(
            "relayaccount",
            "stuck_code",
            models.CharField(
                blank=True,
                choices=[
                    ("not_authorized", "the nodes refuse the account"),
                    ("nonce_held", "a transaction that is not ours holds the nonce"),
                    ("not_mined", "blocks are made without its transactions"),
                ],
                default="",
                max_length=20,
                verbose_name="stuck",
            ),
        ),
        migrations.AddField(
            "relayaccount",
            "stuck_text",
            models.TextField(blank=True, default="", verbose_name="stuck, in words"),
        ),
        migrations.AddField(
            "relayaccount",
            "stuck_since",
            models.DateTimeField(blank=True, null=True, verbose_name="stuck since"),
        ),
        migrations.AddConstraint(
            "relayaccount",
            models.CheckConstraint(
                condition=models.Q(stuck_code="", stuck_since__isnull=True)
                | models.Q(stuck_code__in=CODES, stuck_since__isnull=False),
                name="stuck_with_code_and_time",
            ),
        ),
        migrations.RunSQL(LOOKUPS.create(TABLE), f"DROP POLICY {LOOKUPS.name} ON {TABLE}"),
        migrations.RunSQL(LANES, "DROP FUNCTION consilium_lanes()"),
    ]
