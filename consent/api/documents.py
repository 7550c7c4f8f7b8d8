"""The documents that sites sign, and what they are answered, as the API describes them.

What is read is held to `consent.domain.documents` alone, byte for byte, because the signature covers it.
"""

from typing import Any

from rest_framework import serializers

from consent.domain.data_sets import DATA_SET_FORMAT, MAX_PURPOSES
from consent.domain.documents import BATCH_FORMAT, ERASURE_FORMAT, MAX_CONSENTS, MAX_ENTRIES, RECEIPT_FORMAT
from consent.models import ConsentBatch, Withdrawal
from consortium.common.models import TransactionState
from consortium.common.openapi import answer_with

SIGNATURE = r"^0x[0-9a-fA-F]{130}$"
DIGEST = r"^sha256:[0-9a-f]{64}$"
PSEUDONYM = r"^[0-9a-f]{64}$"
UINT64 = 2**53 - 1


class SignedDocumentSerializer(serializers.Serializer[Any]):
    """What every signed document carries besides its content; the digest is over the canonical JSON of the rest."""

    digest = serializers.RegexField(DIGEST)
    signature = serializers.RegexField(SIGNATURE)


class SiteDocumentSerializer(SignedDocumentSerializer):
    organization = serializers.UUIDField()
    signed_at = serializers.IntegerField(min_value=0, max_value=UINT64)


class BatchEntrySerializer(serializers.Serializer[Any]):
    line = serializers.IntegerField(min_value=0, max_value=UINT64)
    resource = serializers.DictField(help_text="A stripped FHIR R4 Consent.")


class SignedBatchSerializer(SiteDocumentSerializer):
    format = serializers.ChoiceField([BATCH_FORMAT])
    consortium = serializers.UUIDField()
    sequence = serializers.IntegerField(min_value=1, max_value=UINT64)
    refused = serializers.IntegerField(min_value=0, max_value=UINT64)
    entries = serializers.ListField(child=BatchEntrySerializer(), min_length=1, max_length=MAX_ENTRIES)


class SignedReceiptSerializer(SiteDocumentSerializer):
    format = serializers.ChoiceField([RECEIPT_FORMAT])
    withdrawal = serializers.UUIDField()
    pseudonym = serializers.RegexField(PSEUDONYM)
    consents = serializers.ListField(child=serializers.RegexField(PSEUDONYM), max_length=MAX_CONSENTS)
    reason = serializers.ChoiceField(Withdrawal.Reason.choices)


class SignedErasureSerializer(SiteDocumentSerializer):
    format = serializers.ChoiceField([ERASURE_FORMAT])
    pseudonym = serializers.RegexField(PSEUDONYM)
    runs = serializers.ListField(child=serializers.UUIDField())


class SignedDataSetSerializer(SiteDocumentSerializer):
    format = serializers.ChoiceField([DATA_SET_FORMAT])
    consortium = serializers.UUIDField()
    name = serializers.RegexField(r"^[A-Za-z][A-Za-z0-9_.-]{0,63}$")
    schema = serializers.DictField(help_text='`{"columns": [{"name", "kind", "categories"?, "unit"?}]}`')
    band = serializers.IntegerField(min_value=0, help_text="The lower edge of a band, never a count.")
    purposes = serializers.ListField(child=serializers.CharField(), min_length=1, max_length=MAX_PURPOSES)
    conditions = serializers.ListField(child=serializers.CharField())


class WaitingWithdrawalSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    pseudonym = serializers.CharField()
    consents = serializers.ListField(child=serializers.CharField())
    reason = serializers.ChoiceField(Withdrawal.Reason.choices)
    recorded_at = serializers.DateTimeField()


TAKEN_BATCH = answer_with(
    "TakenBatch",
    batch=serializers.UUIDField(),
    state=serializers.ChoiceField(ConsentBatch.State.choices),
    accepted=serializers.IntegerField(),
)
TAKEN_RECEIPT = answer_with(
    "TakenReceipt", withdrawal=serializers.UUIDField(), state=serializers.ChoiceField(Withdrawal.State.choices)
)
RELAYED_EPOCH = answer_with(
    "RelayedEpoch", epoch=serializers.UUIDField(), state=serializers.ChoiceField(TransactionState.choices)
)
RELAYED_REVOCATION = answer_with(
    "RelayedRevocation", revocation=serializers.UUIDField(), state=serializers.ChoiceField(TransactionState.choices)
)
REGISTERED_DATA_SET = answer_with(
    "RegisteredDataSet", data_set=serializers.UUIDField(), schema_digest=serializers.CharField()
)
TAKEN_ERASURE = answer_with("TakenErasure", grants=serializers.IntegerField(min_value=0))
