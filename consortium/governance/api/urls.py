"""Addresses of governance at the API."""

from django.urls import path

from consortium.governance.api import views

urlpatterns = [
    path("consortia/<uuid:consortium>/proposals", views.ProposalsView.as_view(), name="proposals"),
    path("proposals/<uuid:proposal>", views.ProposalView.as_view(), name="proposal"),
]
