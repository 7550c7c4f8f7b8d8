"""The embedded instance on the loopback: addresses and secrets from the files that its supervisor wrote."""

import os
from pathlib import Path

from consortium.settings import env

_ROLE = os.environ.get("CONSILIUM_DATABASE_ROLE", "app")
_FOLDER = (
    Path(os.environ.get("CONSILIUM_INSTANCE", str(Path(__file__).resolve().parents[2] / ".local"))) / "environment"
)
if "DATABASE_URL" not in os.environ and (_FOLDER / f"{_ROLE}.env").exists():
    env.load_file(_FOLDER / f"{_ROLE}.env")

from consortium.settings.base import *  # noqa: E402, F403  Django's settings are one namespace

# Static files straight from the checkout: nothing to collect, and a change shows at once.
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = True
