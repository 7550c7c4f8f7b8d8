"""Models: list, read with card, and answer rows while released."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.acts import Actor, Subject
from consortium.common import blobs
from consortium.kernel.canonical import parse_canonical
from consortium.membership.access import access_consortium
from training import selectors
from training.access import access_model
from training.api.doors import post_once
from training.api.serializers import ModelDetailSerializer, ModelSerializer, RowsSerializer, ScoresSerializer
from training.models import Model
from training.registry.predictions import predict


class ModelsView(generics.ListAPIView[Model]):
    """Models of a consortium, newest first."""

    serializer_class = ModelSerializer
    queryset = Model.objects.none()

    def get_queryset(self) -> QuerySet[Model]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.all()
        return selectors.models(access_consortium(self.kwargs["consortium"]).pk)


class ModelView(APIView):
    """One model with its card."""

    @extend_schema(responses=ModelDetailSerializer)
    def get(self, request: Request, model: UUID) -> Response:
        found = access_model(model)
        card = blobs.get(consortium_id=found.consortium_id, digest=found.card_digest)
        body: dict[str, Any] = {**ModelSerializer(found).data, "card": parse_canonical(bytes(card.data))}
        return Response(body)


class PredictionsView(APIView):
    """Score rows with a released model."""

    @extend_schema(request=RowsSerializer, responses=ScoresSerializer)
    def post(self, request: Request, model: UUID) -> Response:
        form = RowsSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        found = access_model(model)

        # As they came: the serializer would turn numbers into other types.
        rows: Any = request.data.get("rows") if isinstance(request.data, dict) else None

        def act(organization_id: UUID, actor: Actor) -> Response:
            return Response(predict(model_id=model, rows=rows, organization_id=organization_id, actor=actor))

        return post_once(
            request,
            roles=("scientist", "admin", "steward"),
            action="model.prediction.serve",
            subject=Subject("model", str(model)),
            consortium_id=None,
            act=act,
            data={"digest": found.digest},
        )
