"""Runs: start, list, read with rounds; pause, resume, cancel."""

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
from training.access import access_plan, access_run
from training.api.doors import post_once
from training.api.serializers import (
    OrderSerializer,
    RunDetailSerializer,
    RunSerializer,
    StartSerializer,
    TaskSerializer,
)
from training.models import LineageRow, Run
from training.services.runs import order_run, start_run

ROLES = ("scientist", "admin")


class RunsView(generics.ListAPIView[Run]):
    """Runs of a consortium, newest first; the plan's author starts one."""

    serializer_class = RunSerializer
    queryset = Run.objects.none()

    def get_queryset(self) -> QuerySet[Run]:
        if getattr(self, "swagger_fake_view", False):
            return self.queryset.all()
        return selectors.runs(access_consortium(self.kwargs["consortium"]).pk)

    @extend_schema(request=StartSerializer, responses={202: RunSerializer})
    def post(self, request: Request, consortium: UUID) -> Response:
        access_consortium(consortium)
        form = StartSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        plan = access_plan(form.validated_data["plan"], consortium_id=consortium)

        def act(organization_id: UUID, actor: Actor) -> Response:
            run = start_run(
                plan_id=plan.pk,
                backend=form.validated_data["backend"],
                organization_id=organization_id,
                actor=actor,
            )
            return Response(RunSerializer(run).data, status=202)

        return post_once(
            request,
            roles=ROLES,
            action="training.run.create",
            subject=Subject("run", "new"),
            consortium_id=plan.consortium_id,
            act=act,
            data={"plan": plan.digest},
        )


class RunView(APIView):
    """One run with its rounds, attempts, and each site's outcome and reason."""

    @extend_schema(responses=RunDetailSerializer)
    def get(self, request: Request, run: UUID) -> Response:
        access_run(run)
        return Response(RunDetailSerializer(selectors.run_with_rounds(run)).data)


class TasksView(generics.ListAPIView[LineageRow]):
    """Tasks of the run's back end, newest first: what ran where, from what, and the digest of what it gave."""

    serializer_class = TaskSerializer

    def get_queryset(self) -> QuerySet[LineageRow]:
        return selectors.tasks_of(access_run(self.kwargs["run"]))


class OrderView(APIView):
    """Pause, resume or cancel a run of one's own organization."""

    kind = ""

    @extend_schema(request=OrderSerializer, responses={202: RunSerializer})
    def post(self, request: Request, run: UUID) -> Response:
        form = OrderSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        found = access_run(run)

        def act(organization_id: UUID, actor: Actor) -> Response:
            order = order_run(
                run_id=run,
                kind=self.kind,
                reason=form.validated_data["reason"],
                organization_id=organization_id,
                actor=actor,
            )
            return Response(RunSerializer(order.run).data, status=202)

        return post_once(
            request,
            roles=ROLES,
            action="training.run.change",
            subject=Subject("run", str(run)),
            consortium_id=found.consortium_id,
            act=act,
        )


class PauseView(OrderView):
    kind = "pause"


class ResumeView(OrderView):
    kind = "resume"


class CancelView(OrderView):
    kind = "cancel"
