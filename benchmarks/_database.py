"""A PostgreSQL of a benchmark's own, so that nothing else on the machine is written to."""

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.harness.running import ROOT


@contextmanager
def database() -> Iterator[None]:
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
            yield
        finally:
            process.stop(sign=signal.SIGINT)


def _migrate() -> None:
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import connection

    options = connection.settings_dict["OPTIONS"]
    for role in ("consilium_owner", "consilium_system"):
        connection.close()
        options["options"] = f"-c role={role}"
        if role == "consilium_owner":
            call_command("migrate", verbosity=0, interactive=False)
