"""Records, checkpoints and bundles as the API writes them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from audit.bundles.orders import Order
from audit.compliance.registry import DEFAULT, REPORTS
from audit.models import AuditRecord, Bundle, Checkpoint, Cosignature
from consortium.common.models import TransactionState
from consortium.kernel.identifiers import to_hex


class RecordSerializer(serializers.ModelSerializer[AuditRecord]):
    """A record; people stand in it as commitments."""

    # The metaclass takes declared fields out of the class: nothing of the base is hidden.
    data = serializers.JSONField(source="body")  # type: ignore[assignment] # see above
    error = serializers.CharField(source="error_code")
    leaf_index = serializers.IntegerField(allow_null=True)
    state = serializers.CharField()

    class Meta:
        model = AuditRecord
        fields = [
            *("id", "action", "outcome", "error", "actor_kind", "actor", "actor_organization_id"),
            *("subject_kind", "subject_id", "recorded_at", "correlation_id", "data", "digest", "leaf_index", "state"),
        ]


class WitnessSerializer(serializers.ModelSerializer[Cosignature]):
    organization = serializers.UUIDField(source="organization_id")
    signature = serializers.SerializerMethodField()

    class Meta:
        model = Cosignature
        fields = ["organization", "signer", "signature"]

    def get_signature(self, row: Cosignature) -> str:
        return to_hex(bytes(row.signature))


class AnchorSerializer(serializers.Serializer[Any]):
    chain_state = serializers.ChoiceField(TransactionState.choices)
    confirmed_block = serializers.IntegerField(allow_null=True)
    transaction_hash = serializers.CharField()


class CheckpointSerializer(serializers.ModelSerializer[Checkpoint]):
    """A checkpoint with its signed note, who co-signed it, and how far it is on the chain."""

    origin = serializers.CharField()
    root = serializers.SerializerMethodField()  # type: ignore[assignment] # as `data` of a record
    witnesses = WitnessSerializer(source="cosignatures", many=True)
    anchor = serializers.SerializerMethodField()

    class Meta:
        model = Checkpoint
        fields = ["id", "origin", "size", "root", "note", "created_at", "witnesses", "anchor"]

    def get_root(self, row: Checkpoint) -> str:
        return to_hex(bytes(row.root))

    @extend_schema_field(AnchorSerializer(allow_null=True))
    def get_anchor(self, row: Checkpoint) -> dict[str, Any] | None:
        anchor = getattr(row, "anchor", None)
        if anchor is None:
            return None
        return {
            "chain_state": anchor.chain_state,
            "confirmed_block": anchor.confirmed_block,
            "transaction_hash": anchor.transaction_hash,
        }


class BundleSerializer(serializers.ModelSerializer[Bundle]):
    """A bundle and how far it has come."""

    consortium = serializers.UUIDField(source="consortium_id")
    log_size = serializers.IntegerField(source="checkpoint.size", default=None, allow_null=True)
    error = serializers.CharField(source="error_code")

    until = serializers.DateField(source="period_until", allow_null=True)
    model = serializers.UUIDField(source="model_id", allow_null=True)

    class Meta:
        model = Bundle
        fields = [
            *("id", "consortium", "report", "until", "model", "state", "step", "progress", "log_size", "digest"),
            *("size_bytes", "error", "error_text", "created_at", "ready_at"),
        ]

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, which is no name that Python takes."""
        return super().get_fields() | {"from": serializers.DateField(source="period_from", allow_null=True)}


class BundleOrderSerializer(serializers.Serializer[Any]):
    """What is asked for. Days left out are the report's usual ones; `model` is for a report about one model."""

    report = serializers.ChoiceField(sorted(REPORTS), required=False, default=DEFAULT)
    until = serializers.DateField(required=False, default=None)
    model = serializers.UUIDField(required=False, default=None)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """Add `from`, which is no name that Python takes."""
        return super().get_fields() | {"from": serializers.DateField(required=False, default=None)}

    @property
    def order(self) -> Order:
        """The order that was read; after `is_valid`."""
        found = self.validated_data
        return Order(found["report"], found["from"], found["until"], found["model"])


class TrustSerializer(serializers.Serializer[Any]):
    """The trust file (`verifier/FORMAT.md`, section 8)."""

    format = serializers.CharField()
    chain = serializers.DictField()
    contracts = serializers.DictField(child=serializers.CharField())
    log = serializers.DictField(child=serializers.CharField())
    organizations = serializers.DictField(child=serializers.DictField(child=serializers.CharField()))
    witness_quorum = serializers.IntegerField(required=False)
