"""Addresses of training at the API."""

from django.urls import path

from training.api import foreign, models, plans, runs

urlpatterns = [
    path("consortia/<uuid:consortium>/plans", plans.PlansView.as_view(), name="plans"),
    path("plans/<uuid:plan>", plans.PlanView.as_view(), name="plan"),
    path("consortia/<uuid:consortium>/runs", runs.RunsView.as_view(), name="runs"),
    path("runs/<uuid:run>", runs.RunView.as_view(), name="run"),
    path("runs/<uuid:run>/tasks", runs.TasksView.as_view(), name="run-tasks"),
    path("runs/<uuid:run>/pause", runs.PauseView.as_view(), name="run-pause"),
    path("runs/<uuid:run>/resume", runs.ResumeView.as_view(), name="run-resume"),
    path("runs/<uuid:run>/cancel", runs.CancelView.as_view(), name="run-cancel"),
    path("consortia/<uuid:consortium>/models", models.ModelsView.as_view(), name="models"),
    path("models/<uuid:model>", models.ModelView.as_view(), name="model"),
    path("models/<uuid:model>/predictions", models.PredictionsView.as_view(), name="model-predictions"),
    path("consortia/<uuid:consortium>/peers", foreign.PeersView.as_view(), name="peers"),
    path("consortia/<uuid:consortium>/foreign-models", foreign.ForeignModelsView.as_view(), name="foreign-models"),
    path("foreign-models/<uuid:foreign_model>", foreign.ForeignModelView.as_view(), name="foreign-model"),
]
