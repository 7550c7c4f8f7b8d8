"""The API, version 1."""

from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView

app_name = "v1"
urlpatterns = [
    path("", include("consortium.membership.api.urls")),
    path("", include("consortium.governance.api.urls")),
    path("", include("consent.api.urls")),
    path("", include("training.api.urls")),
    path("", include("audit.api.urls")),
    path("agent/", include("consortium.membership.api.agent_urls")),
    path("agent/", include("consortium.governance.api.agent_urls")),
    path("agent/", include("consent.api.agent_urls")),
    path("agent/", include("training.api.agent_urls")),
    path("agent/", include("audit.api.agent_urls")),
    path("schema", SpectacularAPIView.as_view(), name="schema"),
]
