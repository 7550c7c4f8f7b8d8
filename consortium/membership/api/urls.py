"""Addresses of membership at the API."""

from django.urls import path

from consortium.membership.api import description, views  # noqa: F401  the description of the API registers itself

urlpatterns = [
    path("me", views.MeView.as_view(), name="me"),
    path("consortia", views.ConsortiaView.as_view(), name="consortia"),
    path("consortia/<uuid:consortium>", views.ConsortiumView.as_view(), name="consortium"),
    path("consortia/<slug:slug>/applications", views.ApplicationsView.as_view(), name="applications"),
]
