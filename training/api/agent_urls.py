"""Addresses of training in the channel to the agents."""

from django.urls import path

from training.api import agent

urlpatterns = [path("plans", agent.DraftsView.as_view(), name="agent-plans")]
