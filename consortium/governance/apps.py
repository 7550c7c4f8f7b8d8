from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    name = "consortium.governance"
    label = "governance"

    def ready(self) -> None:
        from consortium.governance import projections  # noqa: F401  registers the handlers of chain events
