"""Addresses of governance's pages."""

from django.urls import path

from consortium.governance.portal import views

urlpatterns = [
    path("proposals/", views.proposals, name="proposals"),
    path("proposals/<uuid:proposal>/", views.proposal, name="proposal"),
    path("proposals/<uuid:proposal>/progress/", views.proposal_progress, name="proposal_progress"),
]
