"""Who one is, the consortia one belongs to, and applying to another."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.acts import Actor
from consortium.common.idempotency import answer_once
from consortium.membership import selectors
from consortium.membership.access import access_consortium, require_role
from consortium.membership.models import Consortium, Membership, User
from consortium.membership.services.applications import KeyAddresses, apply

ADDRESS = r"^0x[0-9a-fA-F]{40}$"


class MembershipSerializer(serializers.ModelSerializer[Membership]):
    name = serializers.CharField(source="organization.name", read_only=True)

    class Meta:
        model = Membership
        fields = [
            *("id", "organization", "name", "status", "validator", "enode", "profile_digest", "joined_at"),
            *("chain_state", "confirmed_block", "transaction_hash"),
        ]


class ConsortiumSerializer(serializers.ModelSerializer[Consortium]):
    members = MembershipSerializer(source="memberships", many=True)
    contracts = serializers.SerializerMethodField()

    class Meta:
        model = Consortium
        fields = ["id", "name", "slug", "chain_id", "policy_digest", "founded_at", "members", "contracts", "created_at"]

    def get_contracts(self, consortium: Consortium) -> dict[str, str]:
        return selectors.contracts_of(consortium.pk)


class MeView(APIView):
    """Who the token speaks for, and in which roles."""

    class MeSerializer(serializers.Serializer[Any]):
        id = serializers.UUIDField()
        name = serializers.CharField()
        email = serializers.EmailField()
        organization = serializers.UUIDField(allow_null=True)
        roles = serializers.ListField(child=serializers.CharField())

    @extend_schema(responses=MeSerializer)
    def get(self, request: Request) -> Response:
        http = request._request
        organization = getattr(http, "organization", None)
        user: User = request.user  # type: ignore[assignment] # authenticated
        return Response(
            {
                "id": user.pk,
                "name": user.name,
                "email": user.email,
                "organization": organization and organization.pk,
                "roles": sorted(getattr(http, "roles", frozenset())),
            }
        )


class ConsortiaView(generics.ListAPIView[Consortium]):
    """The consortia that one's organization belongs to or applies to."""

    serializer_class = ConsortiumSerializer

    def get_queryset(self) -> QuerySet[Consortium]:
        return selectors.consortia_with_members()


class ConsortiumView(APIView):
    """One consortium with its members and contracts."""

    @extend_schema(responses=ConsortiumSerializer)
    def get(self, request: Request, consortium: UUID) -> Response:
        access_consortium(consortium)
        return Response(ConsortiumSerializer(selectors.consortia_with_members().get(pk=consortium)).data)


class ApplicationsView(APIView):
    """Apply for admission in the name of one's organization."""

    class ApplicationSerializer(serializers.Serializer[Any]):
        vote_key = serializers.RegexField(ADDRESS)
        site_key = serializers.RegexField(ADDRESS)
        validator = serializers.RegexField(ADDRESS)
        enode = serializers.CharField(max_length=220, required=False, default="", allow_blank=True)

    @extend_schema(request=ApplicationSerializer, responses={201: MembershipSerializer})
    def post(self, request: Request, slug: str) -> Response:
        organization = require_role(request, "admin")
        form = self.ApplicationSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user: User = request.user  # type: ignore[assignment] # authenticated

        def act() -> Response:
            membership = apply(
                consortium_slug=slug,
                organization=organization,
                keys=KeyAddresses(**form.validated_data),
                actor=Actor.person(user.pk, organization.pk),
            )
            return Response(MembershipSerializer(membership).data, status=201)

        return answer_once(request, organization_id=organization.pk, principal=str(user.pk), act=act)
