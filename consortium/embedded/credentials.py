"""Secrets of an embedded instance: made once, each in a file that its user alone reads."""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from consortium.embedded.accounts import Account
from consortium.embedded.layout import Layout

DATABASE_ROLES = ("postgres", "consilium_owner", "consilium_app", "consilium_system")


@dataclass(frozen=True)
class Credentials:
    """Passwords of the database's roles and the platform's signing secret."""

    layout: Layout

    def secret(self, name: str) -> str:
        """The secret `name`, made at its first use (32 random bytes, URL-safe text)."""
        path = self.layout.secrets / name
        if not path.exists():
            write_secret(path, secrets.token_urlsafe(32))
        return path.read_text().strip()


def write_secret(path: Path, value: str, account: Account | None = None) -> None:
    """Write `value` so that it is never readable by others, not even for a moment, nor half there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(path.name + ".new")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(value)
        file.flush()
        os.fsync(file.fileno())
    if account is not None and account.uid is not None and account.gid is not None:
        os.chown(draft, account.uid, account.gid)
    draft.replace(path)
