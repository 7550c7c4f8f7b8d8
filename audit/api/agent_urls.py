"""Addresses of the witnesses' part of the channel to the agents."""

from django.urls import path

from audit.api import agent

urlpatterns = [
    path("checkpoints", agent.WitnessedView.as_view(), name="agent-checkpoints"),
    path("checkpoints/<uuid:checkpoint>/signature", agent.WitnessView.as_view(), name="agent-checkpoint-signature"),
]
