"""Where withdrawals take effect: by an urgent revocation, or by the next epoch, in every consortium."""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from agent.consents.database import Database


@dataclass(frozen=True, slots=True)
class Effect:
    """A withdrawal that waits to take effect; `subject` is S, None for one who was never in an epoch."""

    withdrawal: uuid.UUID
    subject: bytes | None
    is_urgent: bool


class Effects:
    """The store's table of effects; `anchor` is the signed entry by which one takes effect."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, consortium: uuid.UUID, effect: Effect) -> None:
        """Let a withdrawal wait; call within the withdrawal's transaction."""
        with self._database.transaction() as connection:
            row = (str(effect.withdrawal), str(consortium), effect.subject, int(effect.is_urgent))
            connection.execute("INSERT INTO effects VALUES (?, ?, ?, ?, NULL)", row)

    def waiting(self, consortium: uuid.UUID) -> list[Effect]:
        """Return what no signed entry carries yet."""
        rows = self._database.rows(
            "SELECT withdrawal, subject, is_urgent FROM effects WHERE consortium = ? AND anchor IS NULL "
            "ORDER BY withdrawal",
            str(consortium),
        )
        return [Effect(uuid.UUID(name), subject, bool(urgent)) for name, subject, urgent in rows]

    def attach(self, consortium: uuid.UUID, effects: Sequence[Effect], anchor: str) -> None:
        """Let an entry carry these; call within the entry's transaction."""
        with self._database.transaction() as connection:
            connection.executemany(
                "UPDATE effects SET anchor = ? WHERE withdrawal = ? AND consortium = ?",
                [(anchor, str(effect.withdrawal), str(consortium)) for effect in effects],
            )

    def detach(self, anchor: str) -> None:
        """Let what a lost entry carried wait again."""
        with self._database.transaction() as connection:
            connection.execute("UPDATE effects SET anchor = NULL WHERE anchor = ?", (anchor,))

    def unsettled_pseudonyms(self, consortium: uuid.UUID) -> frozenset[str]:
        """Return who has withdrawn and is not off the chain yet: no cohort holds them meanwhile."""
        rows = self._database.rows(
            "SELECT DISTINCT pseudonym FROM effects JOIN withdrawals ON withdrawals.id = effects.withdrawal "
            "LEFT JOIN anchors ON anchors.digest = effects.anchor "
            "WHERE effects.consortium = ? AND coalesce(anchors.state, '') <> 'landed' AND pseudonym IS NOT NULL",
            str(consortium),
        )
        return frozenset(str(name) for (name,) in rows)

    def wish_epoch(self, consortia: Collection[uuid.UUID]) -> None:
        """Ask for a new epoch, as soon as nothing holds it back."""
        with self._database.transaction() as connection:
            rows = [(str(consortium),) for consortium in consortia]
            connection.executemany("INSERT OR IGNORE INTO wishes VALUES (?)", rows)

    def is_epoch_wished(self, consortium: uuid.UUID) -> bool:
        """Say whether somebody asked for a new epoch."""
        return self._database.row("SELECT 1 FROM wishes WHERE consortium = ?", str(consortium)) is not None

    def grant_wish(self, consortium: uuid.UUID) -> None:
        """Note that the epoch was signed; call within its transaction."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM wishes WHERE consortium = ?", (str(consortium),))
