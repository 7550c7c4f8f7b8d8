"""Addresses of the channel to the agents."""

from django.urls import path

from consortium.membership.api import agent, agent_keys

urlpatterns = [
    path("session", agent.SessionView.as_view(), name="agent-session"),
    path("consortia", agent.ConsortiaView.as_view(), name="agent-consortia"),
    path("blobs/<str:digest>", agent.BlobView.as_view(), name="agent-blob"),
    path("keys/rotations", agent_keys.KeyRotationsView.as_view(), name="agent-key-rotations"),
    path("work", agent.work_view, name="agent-work"),
    path("work/<uuid:item>/beat", agent.BeatView.as_view(), name="agent-beat"),
    path("work/<uuid:item>/result", agent.ResultView.as_view(), name="agent-result"),
    path("work/<uuid:item>/refusal", agent.RefusalView.as_view(), name="agent-refusal"),
]
