"""Addresses of the evidence's pages."""

from django.urls import path

from audit.portal import views

urlpatterns = [
    path("bundles/", views.bundles, name="bundles"),
    path("bundles/<uuid:bundle>/download/", views.bundle_file, name="bundle_file"),
    path("bundles/trust/<uuid:consortium>/", views.trust_file, name="trust_file"),
]
