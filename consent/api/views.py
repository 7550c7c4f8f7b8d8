"""Consents as an organization's people see them: their own exactly, the others' as bands."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.acts import Actor
from consent import selectors
from consent.access import access_withdrawal
from consent.api.serializers import (
    BatchSerializer,
    DataSetSerializer,
    PurposeSerializer,
    SummarySerializer,
    WithdrawalSerializer,
)
from consent.models import ConsentBatch, DataSet, Purpose, Withdrawal
from consent.services.withdrawals import withdraw
from consortium.common.idempotency import answer_once
from consortium.membership.access import access_consortium, require_role
from consortium.membership.models import Organization, User

READERS = ("admin", "steward", "compliance")
WITHDRAWERS = ("admin", "steward")


class SummaryView(APIView):
    """Numbers of a consortium's consents."""

    @extend_schema(responses=SummarySerializer)
    def get(self, request: Request, consortium: UUID) -> Response:
        access_consortium(consortium)
        own = _organization(request)
        return Response(
            {
                "consortium": str(consortium),
                "own": own and selectors.grant_numbers(consortium_id=consortium, organization_id=own.pk),
                "members": selectors.bands_of_members(consortium),
            }
        )


class ImportsView(generics.ListAPIView[ConsentBatch]):
    """The organization's imports, newest first, with what was wrong with those that were refused."""

    serializer_class = BatchSerializer

    def get_queryset(self) -> QuerySet[ConsentBatch]:
        if getattr(self, "swagger_fake_view", False):
            return ConsentBatch.objects.none()
        return selectors.imports(require_role(self.request, *READERS).pk)


class WithdrawalsView(generics.ListAPIView[Withdrawal]):
    """The organization's withdrawals; POST makes one."""

    serializer_class = WithdrawalSerializer

    class WithdrawalOrderSerializer(serializers.Serializer[Any]):
        pseudonym = serializers.RegexField(r"^[0-9a-f]{64}$", required=False, default="")
        grant = serializers.UUIDField(required=False, default=None)
        reason = serializers.ChoiceField(Withdrawal.Reason.choices)

    def get_queryset(self) -> QuerySet[Withdrawal]:
        if getattr(self, "swagger_fake_view", False):
            return Withdrawal.objects.none()
        return selectors.withdrawals(require_role(self.request, *READERS).pk)

    @extend_schema(request=WithdrawalOrderSerializer, responses={201: WithdrawalSerializer})
    def post(self, request: Request) -> Response:
        organization = require_role(request, *WITHDRAWERS)
        form = self.WithdrawalOrderSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user: User = request.user  # type: ignore[assignment]  # authenticated

        def act() -> Response:
            withdrawal = withdraw(
                organization_id=organization.pk,
                pseudonym=form.validated_data["pseudonym"],
                grant_id=form.validated_data["grant"],
                reason=form.validated_data["reason"],
                actor=Actor.person(user.pk, organization.pk),
            )
            return Response(_written(withdrawal), status=201)

        return answer_once(request, organization_id=organization.pk, principal=str(user.pk), act=act)


class WithdrawalView(APIView):
    """One withdrawal and how far it has come."""

    @extend_schema(responses=WithdrawalSerializer)
    def get(self, request: Request, withdrawal: UUID) -> Response:
        organization = require_role(request, *READERS)
        return Response(_written(access_withdrawal(withdrawal, organization_id=organization.pk)))


class DataSetsView(generics.ListAPIView[DataSet]):
    """The data sets of one's consortia: schema, band and terms."""

    serializer_class = DataSetSerializer
    pagination_class = None

    def get_queryset(self) -> QuerySet[DataSet]:
        return selectors.data_sets()


class PurposesView(generics.ListAPIView[Purpose]):
    """The terms of the Data Use Ontology, with their labels."""

    serializer_class = PurposeSerializer
    pagination_class = None
    queryset = Purpose.objects.order_by("code")


def _organization(request: Request) -> Organization | None:
    http: HttpRequest = request._request
    return getattr(http, "organization", None)


def _written(withdrawal: Withdrawal) -> dict[str, Any]:
    # Plain JSON, because the answer is remembered under its Idempotency-Key.
    document: dict[str, Any] = WithdrawalSerializer(withdrawal).data
    return {name: str(value) if isinstance(value, UUID) else value for name, value in document.items()} | {
        "effects": [{**effect, "consortium": str(effect["consortium"])} for effect in document["effects"]]
    }
