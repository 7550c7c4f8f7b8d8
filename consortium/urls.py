"""Where each door is."""

from allauth.account import views as account
from django.urls import include, path

from consortium.common import health, unanswered

urlpatterns = [
    path("", include("consortium.portal.urls")),
    path("", include("consortium.membership.portal.urls")),
    path("", include("consortium.governance.portal.urls")),
    path("", include("consent.portal.urls")),
    path("", include("training.portal.urls")),
    path("", include("audit.portal.urls")),
    path("accounts/login/", account.login, name="account_login"),
    path("accounts/logout/", account.logout, name="account_logout"),
    path("", include("allauth.idp.urls")),
    path("api/v1/", include("consortium.api_urls", namespace="v1")),
    path("healthz", health.alive, name="healthz"),
    path("readyz", health.ready, name="readyz"),
    path("readyz/web", health.ready_for_pages, name="readyz_web"),
]

handler400 = unanswered.bad_request
handler403 = unanswered.forbidden
handler404 = unanswered.not_found
handler500 = unanswered.failed
