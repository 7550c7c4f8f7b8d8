"""What an agent does about its organization's keys: hands in a rotation that the vote key signed."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from audit.acts import Actor
from consortium.common.idempotency import answer_once
from consortium.common.models import TransactionState
from consortium.common.openapi import answer_with
from consortium.kernel.identifiers import from_hex
from consortium.membership.api.agent import AgentView
from consortium.membership.services.keys import PURPOSES, SignedRotation, rotate_key

RELAYED_ROTATION = answer_with("RelayedRotation", state=serializers.ChoiceField(TransactionState.choices))


class KeyRotationsView(AgentView):
    """Replace one of the organization's own keys; the registry checks the signature of its vote key."""

    class SignedRotationSerializer(serializers.Serializer[Any]):
        consortium = serializers.UUIDField()
        purpose = serializers.ChoiceField(sorted(PURPOSES))
        new_key = serializers.RegexField(r"^0x[0-9a-fA-F]{40}$")
        nonce = serializers.IntegerField(min_value=0, max_value=2**53)
        deadline = serializers.IntegerField(min_value=1, max_value=2**53)
        signature = serializers.RegexField(r"^0x[0-9a-fA-F]{130}$")

    @extend_schema(request=SignedRotationSerializer, responses={202: RELAYED_ROTATION})
    def post(self, request: Request) -> Response:
        form = self.SignedRotationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        signed = _signed(form.validated_data)

        def act() -> Response:
            state = rotate_key(signed=signed, organization_id=self.organization_id, actor=_actor(self))
            return Response({"state": state}, status=202)

        return answer_once(request, organization_id=self.organization_id, principal="agent", act=act)


def _signed(given: dict[str, Any]) -> SignedRotation:
    return SignedRotation(
        consortium_id=given["consortium"],
        purpose=given["purpose"],
        new_key=given["new_key"],
        nonce=given["nonce"],
        deadline=given["deadline"],
        signature=from_hex(given["signature"]),
    )


def _actor(view: AgentView) -> Actor:
    return Actor.agent(view.request.user.site_key, view.organization_id)  # type: ignore[union-attr] # AgentIdentity
