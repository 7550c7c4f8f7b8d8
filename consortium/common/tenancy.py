"""The two walls between tenants: a scope in the ORM and row level security in PostgreSQL.

A transaction that acts for somebody says for whom: `act_for` sets the database's
`app.organization` and `app.person` for this transaction alone and opens the ORM's
scope. Without it, `consilium_app` sees no tenant's row at all.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.db import connection
from django_scopes import scope, scopes_disabled

from consortium.kernel.errors import ConsiliumError

APP_ROLE = "consilium_app"
SYSTEM_ROLE = "consilium_system"
OWNER_ROLE = "consilium_owner"


class NoTransactionError(ConsiliumError):
    """A tenant's scope was opened outside a transaction, where PostgreSQL would forget it at once."""

    code = "no_transaction"


class WrongDatabaseRoleError(ConsiliumError):
    """Work for all tenants was started in a process that is connected as one tenant's role."""

    code = "wrong_database_role"


@contextmanager
def act_for(*, organization_id: UUID | None, person_id: UUID | None = None) -> Iterator[None]:
    """Act for an organization, and a person of it, until the block ends.

    Raises
    ------
    NoTransactionError
        Outside `transaction.atomic`.
    """
    previous = _identity()
    set_identity(organization_id=organization_id, person_id=person_id)
    try:
        with scope(organization=organization_id):
            yield
    finally:
        if not connection.needs_rollback:
            _set(*previous)


@contextmanager
def act_for_all() -> Iterator[None]:
    """Act for the whole deployment: dispatcher, projector, coordinator. The database's policies name their tables.

    Raises
    ------
    WrongDatabaseRoleError
        If this process is not connected as the system's role.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user")
        role = cursor.fetchone()[0]
    if role != SYSTEM_ROLE:
        raise WrongDatabaseRoleError(
            f"This work needs the database role {SYSTEM_ROLE}, but the process is connected as {role}. "
            "Start it with that role's DATABASE_URL."
        )
    with scopes_disabled():
        yield


def set_identity(*, organization_id: UUID | None, person_id: UUID | None) -> None:
    """Tell the database for whom the rest of this transaction acts."""
    if not connection.in_atomic_block:
        raise NoTransactionError("Open a transaction first: the database keeps the tenant for a transaction only.")
    _set(str(organization_id or ""), str(person_id or ""))


def _identity() -> tuple[str, str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(current_setting('app.organization', true), ''), "
            "coalesce(current_setting('app.person', true), '')"
        )
        row = cursor.fetchone()
    return row[0], row[1]


def _set(organization: str, person: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('app.organization', %s, true), set_config('app.person', %s, true)",
            [organization, person],
        )
