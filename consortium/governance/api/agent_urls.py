"""Addresses of governance in the channel to the agents."""

from django.urls import path

from consortium.governance.api import agent

urlpatterns = [
    path("ballots", agent.BallotsView.as_view(), name="agent-ballots"),
    path("ballots/<uuid:proposal>", agent.BallotView.as_view(), name="agent-ballot"),
    path("vetoes", agent.VetoesView.as_view(), name="agent-vetoes"),
    path("vetoes/<uuid:proposal>", agent.VetoView.as_view(), name="agent-veto"),
    path("proposals", agent.ProposalsView.as_view(), name="agent-proposals"),
]
