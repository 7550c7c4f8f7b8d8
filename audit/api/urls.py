"""Addresses of the log and its evidence at the API."""

from django.urls import path

from audit.api import views

urlpatterns = [
    path("consortia/<uuid:consortium>/records", views.RecordsView.as_view(), name="records"),
    path("consortia/<uuid:consortium>/checkpoints", views.CheckpointsView.as_view(), name="checkpoints"),
    path("consortia/<uuid:consortium>/bundles", views.ConsortiumBundlesView.as_view(), name="consortium-bundles"),
    path("consortia/<uuid:consortium>/trust", views.TrustView.as_view(), name="trust"),
    path("bundles/<uuid:bundle>", views.BundleView.as_view(), name="bundle"),
    path("bundles/<uuid:bundle>/content", views.BundleContentView.as_view(), name="bundle-content"),
]
