from importlib import import_module

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    name = "training"
    label = "training"

    def ready(self) -> None:
        # Each registers handlers: of chain events, of decisions, of the outbox's outcomes.
        for module in ("projections", "decisions", "registry.projections", "registry.foreign", "coordination.ledger"):
            import_module(f"training.{module}")
