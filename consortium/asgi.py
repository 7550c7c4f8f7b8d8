"""Door of the web process."""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consortium.settings.production")
# Each request runs on a thread of its own: they share connections, or each would open one.
os.environ.setdefault("DATABASE_POOL_SIZE", "16")

from consortium.celery import app as celery_app
from consortium.common.handler import web_application

application = web_application()

__all__ = ["application", "celery_app"]
