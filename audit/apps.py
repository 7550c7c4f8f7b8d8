from importlib import import_module

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "audit"
    label = "audit"

    def ready(self) -> None:
        # Registers the handler of anchorings' outcomes with the outbox.
        import_module("audit.log.anchors")
