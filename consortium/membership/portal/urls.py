"""Addresses of the membership's pages."""

from django.urls import path

from consortium.membership.portal import views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("organization/", views.choose_organization, name="choose_organization"),
]
