"""Plans: draft, list, read."""

from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from audit.acts import Actor, Subject
from consortium.membership.access import access_consortium
from training import selectors
from training.access import access_plan
from training.api.doors import post_once
from training.api.serializers import DraftSerializer, PlanDetailSerializer, PlanSerializer
from training.models import Plan
from training.services.plans import draft_plan


class PlansView(generics.ListAPIView[Plan]):
    """Plans of a consortium, newest first; a scientist drafts one."""

    serializer_class = PlanSerializer
    queryset = Plan.objects.none()

    def get_queryset(self) -> QuerySet[Plan]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.all()
        return selectors.plans(access_consortium(self.kwargs["consortium"]).pk)

    @extend_schema(request=DraftSerializer, responses={201: PlanDetailSerializer})
    def post(self, request: Request, consortium: UUID) -> Response:
        access_consortium(consortium)
        form = DraftSerializer(data=request.data)
        form.is_valid(raise_exception=True)

        def act(organization_id: UUID, actor: Actor) -> Response:
            plan = draft_plan(
                consortium_id=consortium,
                document=form.validated_data["document"],
                organization_id=organization_id,
                actor=actor,
            )
            return Response(PlanDetailSerializer(plan).data, status=201)

        return post_once(
            request,
            roles=("scientist", "admin"),
            action="training.plan.draft",
            subject=Subject("plan", "draft"),
            consortium_id=consortium,
            act=act,
        )


class PlanView(APIView):
    """One plan with its document."""

    @extend_schema(responses=PlanDetailSerializer)
    def get(self, request: Request, plan: UUID) -> Response:
        return Response(PlanDetailSerializer(access_plan(plan)).data)
