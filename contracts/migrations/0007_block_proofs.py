"""Proofs of blocks that bundles need, kept while nodes can still give them; members read them, the system writes."""

import uuid

from django.db import migrations, models

from consortium.common.row_security import EnableRowSecurity, owner_reads, read_by_consortium, system

# For probes, which see no row: how many are missing, and since when.
MISSING = """
CREATE FUNCTION consilium_chain_proofs(OUT captured bigint, OUT missing bigint, OUT missing_since timestamptz)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT count(captured_at), count(*) - count(captured_at), min(created_at) FILTER (WHERE captured_at IS NULL)
      FROM contracts_blockproof
$$;
GRANT EXECUTE ON FUNCTION consilium_chain_proofs() TO consilium_app, consilium_system;
"""


class Migration(migrations.Migration):
    dependencies = [("contracts", "0006_lanes")]
    operations = [
        migrations.CreateModel(
            name="BlockProof",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("consortium_id", models.UUIDField(verbose_name="consortium")),
                ("block_number", models.PositiveBigIntegerField(verbose_name="block")),
                ("header", models.JSONField(default=dict, verbose_name="header")),
                ("account_nodes", models.JSONField(default=list, verbose_name="proof of the account")),
                ("digest_nodes", models.JSONField(default=list, verbose_name="proof of the digest")),
                ("validators", models.JSONField(default=list, verbose_name="validators")),
                ("receipts", models.JSONField(default=list, verbose_name="proofs of receipts")),
                ("captured_at", models.DateTimeField(blank=True, null=True, verbose_name="captured")),
                ("attempts", models.PositiveIntegerField(default=0, verbose_name="failed attempts")),
                ("retry_at", models.DateTimeField(blank=True, null=True, verbose_name="next attempt")),
                ("missing_text", models.TextField(blank=True, default="", verbose_name="why it is missing")),
            ],
            options={
                "verbose_name": "block's proof",
                "verbose_name_plural": "blocks' proofs",
                "ordering": ["block_number"],
                "constraints": [
                    models.UniqueConstraint(fields=("consortium_id", "block_number"), name="proof_once_a_block")
                ],
                "indexes": [
                    models.Index(
                        condition=models.Q(captured_at__isnull=True),
                        fields=["consortium_id", "block_number"],
                        name="proofs_to_capture",
                    )
                ],
            },
        ),
        EnableRowSecurity("contracts_blockproof", [*read_by_consortium(), *system(), *owner_reads()], app="SELECT"),
        migrations.RunSQL(MISSING, "DROP FUNCTION consilium_chain_proofs()"),
    ]
