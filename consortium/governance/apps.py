from django.apps import AppConfig


class GovernanceConfig(AppConfig):
    name = "consortium.governance"
    label = "governance"

    def ready(self) -> None:
        from consortium.governance import projected_ballots, projections  # noqa: F401  register handlers of events
