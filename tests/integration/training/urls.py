"""The deployment's addresses with training's under /api/v1, wherever the deployment itself includes them."""

from typing import Any

from django.urls import include, path

from consortium.urls import urlpatterns as deployed
from training.api import agent_urls, urls

v1: Any = ([*urls.urlpatterns, path("agent/", include(agent_urls.urlpatterns))], "v1")
urlpatterns = [path("api/v1/", include(v1, namespace="training-v1")), *deployed]
