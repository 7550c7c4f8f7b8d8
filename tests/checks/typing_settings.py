"""Settings for the type checker's Django plugin, which reads them without any service."""

from tests.checks.settings_environment import set_environment

set_environment("tests.checks.typing_settings")

from consortium.settings.base import *  # noqa: E402, F403  Django's settings are one namespace
