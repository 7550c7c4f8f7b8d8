"""Addresses of the membership's pages."""

from django.urls import path

from consortium.membership.portal import views

urlpatterns = [
    path("", views.overview, name="overview"),
    path("more/", views.more, name="more"),
    path("consortium/", views.choose_consortium, name="choose_consortium"),
    path("organization/", views.choose_organization, name="choose_organization"),
]
