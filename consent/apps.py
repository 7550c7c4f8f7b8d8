from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "consent"
    label = "consent"

    def ready(self) -> None:
        from consent import projections  # noqa: F401  registers the handlers of chain events
