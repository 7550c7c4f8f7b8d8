from django.apps import AppConfig


class MembershipConfig(AppConfig):
    name = "consortium.membership"
    label = "membership"

    def ready(self) -> None:
        from consortium.membership import applicants, projections  # noqa: F401  registers handlers of chain events
