"""Real PostgreSQL and Valkey for the test session: started once, before Django reads its settings.

A run without Django (`-p no:django`) starts nothing. Workers of a parallel run share
what the first process started, each with a database of its own.
"""

import os
import signal
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path

import pytest

from consortium.embedded.accounts import choose_accounts
from consortium.embedded.credentials import Credentials
from consortium.embedded.environment import base_environment, ensure_oidc_key
from consortium.embedded.instance import hold
from consortium.embedded.layout import Layout, project_root
from consortium.embedded.postgres import EmbeddedPostgres
from consortium.embedded.valkey import EmbeddedValkey

_STACK = ExitStack()


@pytest.hookimpl(wrapper=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> Generator[None, None, None]:
    """Start before pytest-django's own hook, which reads the settings."""
    if worker := os.environ.get("PYTEST_XDIST_WORKER"):
        # A test may empty its cache: each worker has a database of its own in the shared Valkey.
        number = 2 + int(worker.removeprefix("gw"))
        os.environ["CACHE_URL"] = os.environ.get("CACHE_URL", "").replace("?db=1", f"?db={number}")
    elif not early_config.pluginmanager.is_blocked("django"):
        _prepare()
    yield


def _prepare() -> None:
    layout = Layout(Path(os.environ.get("CONSILIUM_TEST_INSTANCE", str(project_root() / ".local" / "test"))))
    _STACK.enter_context(hold(layout))
    _start(layout)
    os.environ["DJANGO_SETTINGS_MODULE"] = "consortium.settings.test"


def pytest_unconfigure() -> None:
    _STACK.close()


def _start(layout: Layout) -> None:
    accounts = choose_accounts(project_root())
    for folder in (layout.root.parent, layout.root):
        folder.chmod(0o711)
    layout.platform.mkdir(mode=0o700, exist_ok=True)
    credentials = Credentials(layout)
    ensure_oidc_key(layout.platform / "oidc.pem", accounts.platform())
    postgres = EmbeddedPostgres(layout, accounts.database(), credentials)
    process = postgres.start()
    _STACK.callback(process.stop, sign=signal.SIGINT)
    environment = base_environment(layout)
    # The tests' own process opens the broker's socket, so it runs as the tests' user.
    valkey = EmbeddedValkey(layout, type(accounts.platform())(), environment)
    _STACK.callback(valkey.start().stop)
    os.environ |= {
        "SECRET_KEY": credentials.secret("secret-key"),
        "OIDC_PRIVATE_KEY_FILE": str(layout.platform / "oidc.pem"),
        "DATABASE_URL": postgres.url("postgres"),
        "CELERY_BROKER_URL": valkey.url(),
        "CACHE_URL": valkey.cache_url(),
        "PLATFORM_FOLDER": str(layout.platform),
        "CONSILIUM_INSTANCE": str(layout.root),
        "OPENBLAS_NUM_THREADS": "1",
    }


@pytest.fixture(scope="session")
def embedded_layout() -> Layout:
    """The layout of the test session's services."""
    return Layout(Path(os.environ["CONSILIUM_INSTANCE"]))
