"""What an agent does as a witness: follows the logs of its consortia and co-signs what only grew."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.bundles import witnessing
from consortium.common.idempotency import answer_once
from consortium.common.openapi import answer_with, problems, results_of
from consortium.kernel.identifiers import from_hex
from consortium.membership.api.agent import AgentView


class StepSerializer(serializers.Serializer[Any]):
    """A checkpoint, with the proof that it extends the one before."""

    id = serializers.UUIDField()
    size = serializers.IntegerField()
    # DRF calls the parent of a nested serializer `root`; as a field it is the tree's.
    root = serializers.CharField()  # type: ignore[assignment] # shadows DRF's property on purpose
    note = serializers.CharField()
    previous_size = serializers.IntegerField()
    proof = serializers.ListField(child=serializers.CharField())


class LogsWaySerializer(serializers.Serializer[Any]):
    """A log's way from the checkpoint that a witness knows."""

    log = serializers.UUIDField()
    consortium = serializers.UUIDField()
    origin = serializers.CharField()
    key = serializers.CharField()
    since = serializers.IntegerField()
    steps = StepSerializer(many=True)


class WitnessedView(AgentView):
    """Checkpoints that wait for the organization's signature; `log` and `size` ask for one log's way from there."""

    class FollowedLogSerializer(serializers.Serializer[Any]):
        log = serializers.UUIDField(required=False)
        size = serializers.IntegerField(required=False, min_value=0, max_value=2**53 - 1, default=0)

    @extend_schema(parameters=[FollowedLogSerializer], responses={200: results_of(LogsWaySerializer)} | problems(404))
    def get(self, request: Request) -> Response:
        form = self.FollowedLogSerializer(data=request.query_params.dict())
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        if "log" in asked:
            return Response({"results": witnessing.way_from(asked["log"], asked["size"])})
        return Response({"results": witnessing.waiting_for_witness(self.organization_id)})


class WitnessView(AgentView):
    """Co-sign a checkpoint: EIP-712 `Checkpoint` by the site key."""

    class WitnessSignatureSerializer(serializers.Serializer[Any]):
        signature = serializers.RegexField(r"^0x[0-9a-fA-F]{130}$")

    @extend_schema(
        request=WitnessSignatureSerializer,
        responses={201: answer_with("KeptCosignature", cosignature=serializers.UUIDField())},
    )
    def post(self, request: Request, checkpoint: UUID) -> Response:
        form = self.WitnessSignatureSerializer(data=request.data)
        form.is_valid(raise_exception=True)

        def act() -> Response:
            kept = witnessing.take_signature(
                checkpoint_id=checkpoint,
                organization_id=self.organization_id,
                signature=from_hex(form.validated_data["signature"]),
            )
            return Response({"cosignature": str(kept.pk)}, status=201)

        return answer_once(request, organization_id=self.organization_id, principal="agent", act=act)
