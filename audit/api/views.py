"""The log and its evidence, for an organization's administrators and compliance officers, and for auditors."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.api import selectors
from audit.api.serializers import (
    BundleOrderSerializer,
    BundleSerializer,
    CheckpointSerializer,
    RecordSerializer,
    TrustSerializer,
)
from audit.bundles.attempts import acting_organization, attempt_export
from audit.bundles.downloads import download
from audit.bundles.exporters import exporter_in, is_auditor_of, own_bundles, require_reader
from audit.bundles.requests import access_bundle, bundles_that, content_of
from audit.bundles.trust import export_trust
from audit.models import AuditRecord, Bundle, Checkpoint
from consortium.common.api import CursorPagination
from consortium.common.idempotency import answer_once
from consortium.common.openapi import problems
from consortium.membership.access import access_consortium

ZIP_TYPE = "application/zip"
# RFC 9111: 299 is a warning of no particular kind, for people.
TRUST_WARNING = '299 - "Compare this file with that of another member: a deployment cannot vouch for itself."'


class RecordPagination(CursorPagination):
    # Records of one transaction share its moment: the id parts them.
    ordering = ("-recorded_at", "-id")  # type: ignore[assignment] # the stub of our base knows one column only


class CheckpointPagination(CursorPagination):
    ordering = "-size"


class RecordsView(generics.ListAPIView[AuditRecord]):
    """The records of a consortium's log, newest first."""

    serializer_class = RecordSerializer
    pagination_class = RecordPagination
    queryset = AuditRecord.objects.none()

    class QuerySerializer(serializers.Serializer[Any]):
        action = serializers.RegexField(
            r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+){0,3}$", required=False, default="", max_length=80
        )
        correlation_id = serializers.UUIDField(required=False, default=None)

    @extend_schema(parameters=[QuerySerializer])
    def get(self, request: Request, *arguments: Any, **names: Any) -> Response:
        return super().get(request, *arguments, **names)

    def get_queryset(self) -> QuerySet[Any]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.all()
        consortium = _readable(self.request, self.kwargs["consortium"])
        form = self.QuerySerializer(data=self.request.query_params.dict())
        form.is_valid(raise_exception=True)
        return selectors.records(consortium, **form.validated_data)


class CheckpointsView(generics.ListAPIView[Checkpoint]):
    """The checkpoints of a consortium's log, largest first, with witnesses and anchors."""

    serializer_class = CheckpointSerializer
    pagination_class = CheckpointPagination
    queryset = Checkpoint.objects.none()

    def get_queryset(self) -> QuerySet[Checkpoint]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.all()
        return selectors.checkpoints(_readable(self.request, self.kwargs["consortium"]))


class ConsortiumBundlesView(generics.ListAPIView[Bundle]):
    """One's organization's bundles of a consortium's log, or one's own as its auditor; POST asks for another."""

    serializer_class = BundleSerializer
    queryset = Bundle.objects.none()

    def get_queryset(self) -> QuerySet[Bundle]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.all()
        consortium = _readable(self.request, self.kwargs["consortium"])
        return bundles_that(own_bundles(self.request)).filter(consortium_id=consortium)

    @extend_schema(request=BundleOrderSerializer, responses={202: BundleSerializer})
    def post(self, request: Request, consortium: UUID) -> Response:
        form = BundleOrderSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        access_consortium(consortium)
        organization = None if is_auditor_of(request, consortium) else acting_organization(request).pk

        def act() -> Response:
            bundle = attempt_export(request, consortium_id=consortium, order=form.order)
            return Response(BundleSerializer(bundle).data, status=202)

        return answer_once(request, organization_id=organization, principal=str(request.user.pk), act=act)


class BundleView(APIView):
    """One bundle and how far it has come."""

    @extend_schema(responses=BundleSerializer)
    def get(self, request: Request, bundle: UUID) -> Response:
        found = require_reader(request, access_bundle(bundle))
        return Response(BundleSerializer(found).data)


class BundleContentView(APIView):
    """A finished bundle as a file."""

    @extend_schema(responses={(200, ZIP_TYPE): bytes} | problems(409, 507))
    def get(self, request: Request, bundle: UUID) -> HttpResponse:
        found = require_reader(request, access_bundle(bundle))
        return download(content_of(found), name=f"consilium-{found.pk}.zip", content_type=ZIP_TYPE)


class TrustView(APIView):
    """The trust file as this deployment knows it. Get the one that you verify with from another member, not here."""

    @extend_schema(responses={200: TrustSerializer} | problems(409, 502, 503, 504))
    def get(self, request: Request, consortium: UUID) -> Response:
        return Response(export_trust(_readable(request, consortium)), headers={"Warning": TRUST_WARNING})


def _readable(request: Request, consortium: UUID) -> UUID:
    """Return the consortium's id if the asker may read its log: 404 for outsiders, 403 for other roles."""
    exporter_in(request, consortium)
    return consortium
