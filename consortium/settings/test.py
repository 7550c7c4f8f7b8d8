"""Tests: the embedded services of the test session; see tests/plugins/services.py and tests/conftest.py."""

from consortium.settings.base import *  # noqa: F403  Django's settings are one namespace
from consortium.settings.base import DATABASES

# A superuser logs in and becomes consilium_app at once: both walls stand, and a test can change its role.
DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c role=consilium_app"
# One round of a fast hash: tests log in often, and none of them is about the hash.
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
