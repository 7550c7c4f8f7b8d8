"""What other consortia's chains have proven to this one: peers, their models, and each thing that was said of one."""

import uuid

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("membership", "0010_membership_enode"),
        ("training", "0004_members_write"),
    ]

    operations = [
        migrations.CreateModel(
            name="Peer",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("peer", models.CharField(max_length=66, verbose_name="peer")),
                ("is_accepted", models.BooleanField(default=False, verbose_name="accepted")),
                (
                    "decided_block",
                    models.PositiveBigIntegerField(blank=True, null=True, verbose_name="decided in block"),
                ),
                (
                    "chain_id",
                    models.DecimalField(blank=True, decimal_places=0, max_digits=20, null=True, verbose_name="chain"),
                ),
                (
                    "models_address",
                    models.CharField(blank=True, default="", max_length=42, verbose_name="its ModelRegistry"),
                ),
                (
                    "source_address",
                    models.CharField(blank=True, default="", max_length=42, verbose_name="its ValidatorSource"),
                ),
                (
                    "anchor_height",
                    models.DecimalField(
                        blank=True, decimal_places=0, max_digits=20, null=True, verbose_name="anchor's block"
                    ),
                ),
                ("anchor_hash", models.CharField(blank=True, default="", max_length=66, verbose_name="anchor's hash")),
                (
                    "anchor_validators",
                    models.CharField(blank=True, default="", max_length=66, verbose_name="anchor's validators"),
                ),
                ("opened_block", models.PositiveBigIntegerField(blank=True, null=True, verbose_name="opened in block")),
                (
                    "proven_height",
                    models.DecimalField(
                        blank=True, decimal_places=0, max_digits=20, null=True, verbose_name="proven up to block"
                    ),
                ),
                ("proven_hash", models.CharField(blank=True, default="", max_length=66, verbose_name="proven header")),
                (
                    "proven_validators",
                    models.CharField(blank=True, default="", max_length=66, verbose_name="validators in force"),
                ),
                ("proven_block", models.PositiveBigIntegerField(blank=True, null=True, verbose_name="proven in block")),
                ("proven_at", models.DateTimeField(blank=True, null=True, verbose_name="proven")),
                (
                    "consortium",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="peers", to="membership.consortium"
                    ),
                ),
            ],
            options={
                "verbose_name": "peer consortium",
                "verbose_name_plural": "peer consortia",
                "ordering": ["peer"],
            },
        ),
        migrations.CreateModel(
            name="ForeignModel",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("digest", models.CharField(max_length=71, verbose_name="digest")),
                (
                    "state",
                    models.CharField(
                        choices=[("registered", "Registered"), ("released", "Released"), ("recalled", "Recalled")],
                        default="registered",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("card_digest", models.CharField(blank=True, default="", max_length=71, verbose_name="card")),
                ("proven_block", models.PositiveBigIntegerField(verbose_name="proven in block")),
                ("proven_at", models.DateTimeField(verbose_name="proven")),
                (
                    "consortium",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="foreign_models",
                        to="membership.consortium",
                    ),
                ),
                (
                    "peer",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="models", to="training.peer"
                    ),
                ),
            ],
            options={
                "verbose_name": "model of another consortium",
                "verbose_name_plural": "models of other consortia",
                "ordering": ["-proven_at", "digest"],
            },
        ),
        migrations.CreateModel(
            name="ForeignStatement",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                (
                    "kind",
                    models.CharField(
                        choices=[("registered", "Registered"), ("released", "Released"), ("recalled", "Recalled")],
                        max_length=10,
                        verbose_name="said",
                    ),
                ),
                ("word", models.CharField(max_length=71, verbose_name="card or decision")),
                ("peer_block", models.DecimalField(decimal_places=0, max_digits=20, verbose_name="block of the peer")),
                ("block", models.PositiveBigIntegerField(verbose_name="block")),
                ("transaction_hash", models.CharField(max_length=66, verbose_name="transaction")),
                ("proven_at", models.DateTimeField(verbose_name="proven")),
                (
                    "consortium",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="foreign_statements",
                        to="membership.consortium",
                    ),
                ),
                (
                    "model",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="statements",
                        to="training.foreignmodel",
                    ),
                ),
            ],
            options={
                "verbose_name": "statement of a peer",
                "verbose_name_plural": "statements of peers",
                "ordering": ["block", "kind"],
                "constraints": [
                    models.UniqueConstraint(fields=("model", "kind"), name="foreign_statement_once_a_kind"),
                    models.CheckConstraint(
                        condition=models.Q(("kind__in", ["registered", "released", "recalled"])),
                        name="foreign_statement_kind_known",
                    ),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="peer",
            constraint=models.UniqueConstraint(fields=("consortium", "peer"), name="peer_once_a_consortium"),
        ),
        migrations.AddConstraint(
            model_name="foreignmodel",
            constraint=models.UniqueConstraint(fields=("peer", "digest"), name="foreign_model_once_a_peer"),
        ),
        migrations.AddConstraint(
            model_name="foreignmodel",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["registered", "released", "recalled"])),
                name="foreign_model_state_known",
            ),
        ),
    ]
