"""Addresses of consents in the channel to the agents."""

from django.urls import path

from consent.api import agent

urlpatterns = [
    path("consents/batches", agent.BatchesView.as_view(), name="agent-consent-batches"),
    path("consents/withdrawals", agent.WithdrawalsView.as_view(), name="agent-consent-withdrawals"),
    path(
        "consents/withdrawals/<uuid:withdrawal>/receipt",
        agent.ReceiptView.as_view(),
        name="agent-consent-receipt",
    ),
    path("consents/epochs", agent.EpochsView.as_view(), name="agent-consent-epochs"),
    path("consents/revocations", agent.RevocationsView.as_view(), name="agent-consent-revocations"),
    path("consents/erasures", agent.ErasuresView.as_view(), name="agent-consent-erasures"),
    path("data-sets", agent.DataSetsView.as_view(), name="agent-data-sets"),
]
