"""Plans, runs and models as members read them."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from training.models import Attempt, LineageRow, Model, Plan, Round, Run, SitePart
from training.services.plans import document_of, plan_for_signature

CHAIN = ("chain_state", "confirmed_block", "transaction_hash")


class PlanSerializer(serializers.ModelSerializer[Plan]):
    class Meta:
        model = Plan
        fields = [
            *("id", "consortium", "organization", "title", "digest", "subject", "state", "proposal"),
            *("decided_block", "created_at"),
        ]


class PlanForSignatureSerializer(serializers.Serializer[Any]):
    """What the author's agent puts into `OpenDecision`; it computes it from the document itself."""

    plan = serializers.UUIDField()
    consortium = serializers.UUIDField()
    contract = serializers.CharField()
    kind = serializers.CharField()
    subject = serializers.CharField()
    policy = serializers.CharField()
    owners = serializers.ListField(child=serializers.UUIDField())
    document_digest = serializers.CharField()
    terms = serializers.DictField()
    description = serializers.CharField()


class PlanDetailSerializer(PlanSerializer):
    """A plan with its document, and what its author's agent signs to propose it."""

    document = serializers.SerializerMethodField()
    for_signature = serializers.SerializerMethodField()

    class Meta(PlanSerializer.Meta):
        fields = [*PlanSerializer.Meta.fields, "document", "for_signature"]

    def get_document(self, plan: Plan) -> dict[str, Any]:
        return document_of(plan).to_json()

    @extend_schema_field(PlanForSignatureSerializer)
    def get_for_signature(self, plan: Plan) -> dict[str, Any]:
        return plan_for_signature(plan)


class SitePartSerializer(serializers.ModelSerializer[SitePart]):
    class Meta:
        model = SitePart
        fields = ["organization", "outcome", "step", "code", "text", "band", "epoch"]


class AttemptSerializer(serializers.ModelSerializer[Attempt]):
    parts = SitePartSerializer(many=True)

    class Meta:
        model = Attempt
        fields = [
            *("number", "state", "announcement", "weights", "roster", "aggregate", "next_weights", "opened_block"),
            *("announced_at", "committed_at", "opened_at", "dealt_at", "collected_at", "signed_at", "released_at"),
            *("aggregated_at", "verified_at", "closed_at", "abandoned_reason", "abandoned_text", "parts"),
        ]


class RoundSerializer(serializers.ModelSerializer[Round]):
    attempts = AttemptSerializer(many=True)

    class Meta:
        model = Round
        fields = [
            *("number", "weights", "next_weights", "metrics", "closed_attempt", "closed_block", "closed_at"),
            "attempts",
        ]


class RunSerializer(serializers.ModelSerializer[Run]):
    class Meta:
        model = Run
        fields = [
            *("id", "consortium", "organization", "plan", "plan_digest", "decision", "backend", "state", "rounds"),
            *("weights", "fence", "failure_code", "failure_text", "started_at", "ended_at", "created_at"),
            *CHAIN,
        ]


class RunDetailSerializer(RunSerializer):
    """A run with its rounds, their attempts, and how each site fared."""

    round_set = RoundSerializer(many=True)

    class Meta(RunSerializer.Meta):
        fields = [*RunSerializer.Meta.fields, "round_set"]


class TaskSerializer(serializers.ModelSerializer[LineageRow]):
    """One task of a run's back end; `organization_id` is null for what the platform computed."""

    class Meta:
        model = LineageRow
        fields = [
            *("round", "attempt", "kind", "organization_id", "backend", "compute_plan", "key", "status", "parents"),
            *("output_digest", "started_at", "ended_at"),
        ]


class ModelSerializer(serializers.ModelSerializer[Model]):
    class Meta:
        model = Model
        fields = [
            *("id", "consortium", "organization", "run", "digest", "card_digest", "state", "proposal"),
            *("released_block", "recalled_block", "created_at"),
            *CHAIN,
        ]


class ModelDetailSerializer(ModelSerializer):
    """A model with its card, as it was put to the vote."""

    card = serializers.DictField(read_only=True)

    class Meta(ModelSerializer.Meta):
        fields = [*ModelSerializer.Meta.fields, "card"]


class DraftSerializer(serializers.Serializer[Any]):
    document = serializers.DictField()


class StartSerializer(serializers.Serializer[Any]):
    plan = serializers.UUIDField()
    backend = serializers.CharField(max_length=20, required=False, default="memory")


class OrderSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class RowsSerializer(serializers.Serializer[Any]):
    rows = serializers.ListField(child=serializers.DictField(), min_length=1, max_length=1000)


class ScoresSerializer(serializers.Serializer[Any]):
    model = serializers.CharField()
    scores = serializers.ListField(child=serializers.FloatField())
