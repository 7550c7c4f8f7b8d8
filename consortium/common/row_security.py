"""Migration operations that put a table behind row level security.

Policies name their role, never PUBLIC: the look-up functions run as the owner,
and a policy for everybody that calls such a function would call itself for ever.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.migrations.operations import RunSQL

from consortium.common.tenancy import APP_ROLE, OWNER_ROLE, SYSTEM_ROLE

# Each is wrapped in a SELECT so that PostgreSQL evaluates it once a statement, not once a row.
ORGANIZATION = "(SELECT consilium_organization())"
PERSON = "(SELECT consilium_person())"
CONSORTIA = "(SELECT consilium_consortia())"
# In which the organization may act: what lets somebody write asks for this one, so that an auditor writes nothing.
MEMBER_OF = "(SELECT consilium_member_of())"
# Of which the person is auditor now.
AUDITS = "(SELECT consilium_audits())"


@dataclass(frozen=True)
class Policy:
    """One policy: its name, its command, its role, and the conditions to see and to write."""

    name: str
    command: str
    role: str
    using: str | None = None
    check: str | None = None

    def create(self, table: str) -> str:
        using = f" USING ({self.using})" if self.using else ""
        check = f" WITH CHECK ({self.check})" if self.check else ""
        return f"CREATE POLICY {self.name} ON {table} FOR {self.command} TO {self.role}{using}{check};"


def private(column: str = "organization_id") -> list[Policy]:
    """Rows of one organization: it alone sees and changes them."""
    own = f"{column} = {ORGANIZATION}"
    return [Policy("tenant", "ALL", APP_ROLE, own, own)]


def of_consortium(consortium: str = "consortium_id", author: str = "organization_id") -> list[Policy]:
    """Rows that a consortium's members read, and that their author alone writes."""
    own = f"{author} = {ORGANIZATION} AND {consortium} IN {MEMBER_OF}"
    return [
        Policy("members_read", "SELECT", APP_ROLE, f"{consortium} IN {CONSORTIA}"),
        Policy("author_inserts", "INSERT", APP_ROLE, check=own),
        Policy("author_updates", "UPDATE", APP_ROLE, own, own),
    ]


def read_by_consortium(consortium: str = "consortium_id") -> list[Policy]:
    """Rows that members read and that only the system writes: projections of the chain."""
    return [Policy("members_read", "SELECT", APP_ROLE, f"{consortium} IN {CONSORTIA}")]


def system(command: str = "ALL") -> list[Policy]:
    """Open to the system's processes."""
    check = None if command in {"SELECT", "DELETE"} else "true"
    using = None if command == "INSERT" else "true"
    return [Policy(f"system_{command.lower()}", command, SYSTEM_ROLE, using, check)]


def owner_reads() -> list[Policy]:
    """Open to the look-up functions, which run as the owner."""
    return [Policy("lookups", "SELECT", OWNER_ROLE, "true")]


class EnableRowSecurity(RunSQL):
    """Force row level security on `table`, with these policies and exactly these privileges."""

    def __init__(
        self,
        table: str,
        policies: Sequence[Policy],
        *,
        app: str = "SELECT, INSERT, UPDATE, DELETE",
        system: str = "SELECT, INSERT, UPDATE, DELETE",
    ) -> None:
        self.table, self.policies, self.app, self.system_privileges = table, list(policies), app, system
        statements = [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;",
            f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY;",
            *(policy.create(table) for policy in policies),
            *_privileges(table, app, system),
        ]
        undo = [
            *(f"DROP POLICY {policy.name} ON {table};" for policy in policies),
            f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY;",
            f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY;",
        ]
        super().__init__("\n".join(statements), "\n".join(undo))

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        return (
            self.__class__.__qualname__,
            [self.table, self.policies],
            {"app": self.app, "system": self.system_privileges},
        )


def _privileges(table: str, app: str, system: str) -> list[str]:
    statements = [f"REVOKE ALL ON {table} FROM {APP_ROLE}, {SYSTEM_ROLE};"]
    if app:
        statements.append(f"GRANT {app} ON {table} TO {APP_ROLE};")
    if system:
        statements.append(f"GRANT {system} ON {table} TO {SYSTEM_ROLE};")
    return statements


class ReplacePolicy(RunSQL):
    """Put one policy in another's place; backwards the first comes again."""

    def __init__(self, table: str, before: Policy, after: Policy) -> None:
        self.table, self.before, self.after = table, before, after
        super().__init__(
            f"DROP POLICY {before.name} ON {table};\n{after.create(table)}",
            f"DROP POLICY {after.name} ON {table};\n{before.create(table)}",
        )

    def deconstruct(self) -> tuple[str, list[object], dict[str, object]]:
        return self.__class__.__qualname__, [self.table, self.before, self.after], {}
