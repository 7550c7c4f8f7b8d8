"""Addresses of training's pages."""

from django.urls import path

from training.portal import views

urlpatterns = [
    path("plans/", views.plans, name="plans"),
    path("plans/<uuid:plan>/", views.plan, name="plan"),
    path("runs/", views.runs, name="runs"),
    path("runs/<uuid:run>/", views.run, name="run"),
    path("runs/<uuid:run>/progress/", views.run_progress, name="run_progress"),
    path("models/", views.models, name="models"),
    path("models/<uuid:model>/", views.model, name="model"),
]
