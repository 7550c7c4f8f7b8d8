"""Addresses of consents at the API."""

from django.urls import path

from consent.api import views

urlpatterns = [
    path("consents/purposes", views.PurposesView.as_view(), name="consent-purposes"),
    path("consents/summary/<uuid:consortium>", views.SummaryView.as_view(), name="consent-summary"),
    path("consents/imports", views.ImportsView.as_view(), name="consent-imports"),
    path("consents/withdrawals", views.WithdrawalsView.as_view(), name="consent-withdrawals"),
    path("consents/withdrawals/<uuid:withdrawal>", views.WithdrawalView.as_view(), name="consent-withdrawal"),
    path("data-sets", views.DataSetsView.as_view(), name="data-sets"),
]
