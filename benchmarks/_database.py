"""A PostgreSQL of a benchmark's own, so that nothing else on the machine is written to."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.harness.running import ROOT

if TYPE_CHECKING:
    from consortium.embedded.postgres import EmbeddedPostgres


@contextmanager
def database() -> Iterator["EmbeddedPostgres"]:
    """A migrated database; this process logs in as its superuser and works as the system's role."""
    from consortium.embedded.accounts import choose_accounts
    from consortium.embedded.credentials import Credentials
    from consortium.embedded.environment import ensure_oidc_key
    from consortium.embedded.layout import Layout
    from consortium.embedded.postgres import EmbeddedPostgres

    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        layout = Layout(Path(folder))
        layout.root.chmod(0o711)
        layout.platform.mkdir(mode=0o700)
        accounts = choose_accounts(ROOT)
        credentials = Credentials(layout)
        ensure_oidc_key(layout.platform / "oidc.pem", accounts.platform())
        postgres = EmbeddedPostgres(layout, accounts.database(), credentials)
        process = postgres.start()
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "consortium.settings.test",
            "SECRET_KEY": credentials.secret("secret-key"),
            "OIDC_PRIVATE_KEY_FILE": str(layout.platform / "oidc.pem"),
            "DATABASE_URL": postgres.url("postgres"),
            "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
            "CACHE_URL": "redis://127.0.0.1:1/1",
            "PLATFORM_FOLDER": str(layout.platform),
            "LOG_KEY_FILE": str(layout.platform / "log.key"),
        }
        try:
            _migrate()
            yield postgres
        finally:
            process.stop(sign=signal.SIGINT)


def become(role: str) -> None:
    """Work as this role of the database from now on, in this thread."""
    from django.db import connection

    connection.close()
    connection.settings_dict["OPTIONS"]["options"] = f"-c role={role}"


def _migrate() -> None:
    import django

    django.setup()
    from django.core.management import call_command

    become("consilium_owner")
    call_command("migrate", verbosity=0, interactive=False)
    become("consilium_system")
