from importlib import import_module

from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "audit"
    label = "audit"

    def ready(self) -> None:
        # Registers the handler of anchorings' outcomes with the outbox, and that of the registry's numbers.
        for module in ("anchors", "quorums"):
            import_module(f"audit.log.{module}")
