"""The Celery application: tasks are doors to services, found in each app's `tasks` module."""

import os
from typing import Any

from celery import Celery
from celery.signals import after_task_publish, beat_init, heartbeat_sent

from consortium.common.heartbeat import beat

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "consortium.settings.production")
app = Celery("consilium")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# A worker's own heartbeat comes from the loop that takes tasks, and only while the broker answers.
heartbeat_sent.connect(beat)


@beat_init.connect  # type: ignore[untyped-decorator] # Celery has no types
def watch_clock(**_signal: Any) -> None:
    """Let the clock show that it lives by what it sends; in other programs a task sent proves nothing."""
    after_task_publish.connect(beat)
