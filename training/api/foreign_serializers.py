"""Other consortia's models as members read them. Numbers of another chain are whole numbers below 2^64."""

from typing import Any

from rest_framework import serializers

from training.models import ForeignModel, ForeignStatement, Peer


def height(**more: Any) -> serializers.IntegerField:
    return serializers.IntegerField(read_only=True, min_value=0, **more)


class PeerSerializer(serializers.ModelSerializer[Peer]):
    chain_id = height(allow_null=True)
    anchor_height = height(allow_null=True)
    proven_height = height(allow_null=True)

    class Meta:
        model = Peer
        fields = [
            *("id", "consortium", "peer", "is_accepted", "decided_block", "chain_id", "models_address"),
            *("source_address", "anchor_height", "anchor_hash", "anchor_validators", "opened_block"),
            *("proven_height", "proven_hash", "proven_validators", "proven_block", "proven_at"),
        ]


class ForeignStatementSerializer(serializers.ModelSerializer[ForeignStatement]):
    """One event of the peer's ModelRegistry; `word` is the card's digest or the peer's decision."""

    peer_block = height()

    class Meta:
        model = ForeignStatement
        fields = ["kind", "word", "peer_block", "block", "transaction_hash", "proven_at"]


class ForeignModelSerializer(serializers.ModelSerializer[ForeignModel]):
    peer = serializers.CharField(source="peer.peer", read_only=True)
    counts = serializers.BooleanField(read_only=True)
    statements = ForeignStatementSerializer(many=True, read_only=True)

    class Meta:
        model = ForeignModel
        fields = [
            *("id", "consortium", "peer", "digest", "card_digest", "state", "counts"),
            *("proven_block", "proven_at", "statements"),
        ]
