"""How consents look at the API."""

from typing import Any

from rest_framework import serializers

from consent.models import ConsentBatch, DataSet, Purpose, Withdrawal, WithdrawalEffect
from consortium.kernel.bands import band_label


class BatchSerializer(serializers.ModelSerializer[ConsentBatch]):
    class Meta:
        model = ConsentBatch
        fields = [
            *("id", "consortium", "sequence", "digest", "state", "accepted", "refused"),
            *("error_code", "errors", "created_at"),
        ]


class EffectSerializer(serializers.ModelSerializer[WithdrawalEffect]):
    class Meta:
        model = WithdrawalEffect
        fields = ["consortium", "epoch", "seq", "block"]


class WithdrawalSerializer(serializers.ModelSerializer[Withdrawal]):
    effects = EffectSerializer(many=True, read_only=True)

    class Meta:
        model = Withdrawal
        fields = [
            *("id", "pseudonym", "consent_ids", "reason", "origin", "state", "created_at"),
            *("received_at", "confirmed_at", "receipt_digest", "receipt_signature", "effects"),
        ]


class DataSetSerializer(serializers.ModelSerializer[DataSet]):
    band_label = serializers.SerializerMethodField()

    class Meta:
        model = DataSet
        fields = [
            *("id", "consortium", "organization", "name", "schema", "schema_digest", "band", "band_label"),
            *("purposes", "conditions", "digest", "signed_at", "created_at"),
        ]

    def get_band_label(self, data_set: DataSet) -> str:
        return band_label(data_set.band)


class PurposeSerializer(serializers.ModelSerializer[Purpose]):
    class Meta:
        model = Purpose
        fields = ["code", "shorthand", "label", "is_condition"]


class MembersEpochSerializer(serializers.Serializer[Any]):
    """A member's newest confirmed epoch: what its partners see of its consents."""

    organization = serializers.UUIDField()
    epoch = serializers.IntegerField()
    seq = serializers.IntegerField()
    band = serializers.IntegerField()
    band_label = serializers.CharField()
    # DRF calls the parent of a nested serializer `root`; as a field it is the epoch's.
    root = serializers.CharField()  # type: ignore[assignment] # shadows DRF's property on purpose
    as_of = serializers.DateTimeField()
    confirmed_block = serializers.IntegerField(allow_null=True)


class SummarySerializer(serializers.Serializer[Any]):
    consortium = serializers.UUIDField()
    own = serializers.DictField(child=serializers.IntegerField(), allow_null=True)
    members = MembersEpochSerializer(many=True)
