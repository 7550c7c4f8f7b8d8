from django.apps import AppConfig


class MembershipConfig(AppConfig):
    name = "consortium.membership"
    label = "membership"

    def ready(self) -> None:
        from consortium.membership import projections  # noqa: F401  registers the handlers of chain events
