"""Other consortia's models, as their chains have proven them to this one."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from consortium.membership.access import access_consortium
from training import selectors
from training.access import access_foreign_model
from training.api.foreign_serializers import ForeignModelSerializer, PeerSerializer
from training.models import ForeignModel, Peer


class PeersView(generics.ListAPIView[Peer]):
    """Consortia whose proofs the members voted on, with the anchor and how far their validators are proven."""

    serializer_class = PeerSerializer
    queryset = Peer.objects.none()

    def get_queryset(self) -> QuerySet[Peer]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.all()
        return selectors.peers(access_consortium(self.kwargs["consortium"]).pk)


class ForeignModelsView(generics.ListAPIView[ForeignModel]):
    """Models of other consortia that were proven here, newest first.

    `counts` is what the contract's `isReleased` answers: released there, not recalled as far as was delivered, and the
    peer still accepted. It says nothing about the model itself.
    """

    serializer_class = ForeignModelSerializer
    queryset = ForeignModel.objects.none()

    def get_queryset(self) -> QuerySet[ForeignModel]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.all()
        return selectors.foreign_models(access_consortium(self.kwargs["consortium"]).pk)


class ForeignModelView(APIView):
    """One model of another consortium, with each statement that was proven."""

    @extend_schema(responses=ForeignModelSerializer)
    def get(self, request: Request, foreign_model: UUID) -> Response:
        return Response(ForeignModelSerializer(access_foreign_model(foreign_model)).data)
