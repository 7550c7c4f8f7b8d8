"""Door of the web process."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consortium.settings.production")

from django.core.asgi import get_asgi_application

from consortium.celery import app as celery_app

application = get_asgi_application()

__all__ = ["application", "celery_app"]
