"""Addresses of training's pages."""

from django.urls import path

from training.portal.views import foreign, models, planning, plans, runs

urlpatterns = [
    path("plans/", plans.plans, name="plans"),
    path("plans/new/", planning.plan_new, name="plan_new"),
    path("plans/<uuid:plan>/", plans.plan, name="plan"),
    path("plans/<uuid:plan>/plan.json", planning.plan_json, name="plan_json"),
    path("plans/<uuid:plan>/run/", plans.run_new, name="run_new"),
    path("runs/", runs.runs, name="runs"),
    path("runs/<uuid:run>/", runs.run, name="run"),
    path("runs/<uuid:run>/progress/", runs.run_progress, name="run_progress"),
    path("runs/<uuid:run>/order/<slug:order>/", runs.run_order, name="run_order"),
    path("models/", models.models, name="models"),
    path("models/others/", foreign.foreign_models, name="foreign_models"),
    path("models/others/<uuid:foreign_model>/", foreign.foreign_model, name="foreign_model"),
    path("models/<uuid:model>/", models.model, name="model"),
    path("models/<uuid:model>/card.json", models.model_card, name="model_card"),
    path("models/<uuid:model>/<slug:act>.json", models.model_act, name="model_act"),
    path("models/<uuid:model>/scores/", models.model_scores, name="model_scores"),
]
