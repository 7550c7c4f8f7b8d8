"""Holding back the site's own anchoring while a commitment to an attempt is on its way (protocol section 4).

A commitment names epoch and seq; an entry that lands between its signature and the round's opening would make it
stale. Between the two nothing is signed for the ConsentAnchor; what waits is signed right after.
"""

import uuid

from agent.consents.database import Database
from agent.consents.errors import AnchorOnItsWayError

# The commitment's own bound; the contract opens no round with an older one.
MAX_HOLD_BLOCKS = 10


class Holds:
    """The store's table of holds: one for each attempt, gone at its opening or after its last block."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def hold(self, consortium: uuid.UUID, attempt: str, *, head: int, until_block: int) -> None:
        """Hold anchoring back until the attempt opened or the block passed; call before the commitment is signed.

        Raises
        ------
        AnchorOnItsWayError
            If an entry is on its way to the chain: what one committed to now would be stale on arrival.
        """
        until = min(until_block, head + MAX_HOLD_BLOCKS)
        with self._database.transaction() as connection:
            on_its_way = connection.execute(
                "SELECT 1 FROM anchors WHERE consortium = ? AND state = 'signed'", (str(consortium),)
            ).fetchone()
            if on_its_way is not None:
                raise AnchorOnItsWayError("The site's consents are being anchored. Commit when the chain shows them.")
            row = (str(consortium), attempt, until)
            connection.execute("INSERT OR REPLACE INTO holds VALUES (?, ?, ?)", row)

    def release(self, consortium: uuid.UUID, attempt: str) -> None:
        """Let anchoring go on: the attempt opened, or was given up."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM holds WHERE consortium = ? AND attempt = ?", (str(consortium), attempt))

    def is_held(self, consortium: uuid.UUID, *, head: int) -> bool:
        """Say whether an attempt still holds anchoring back at this block; passed ones are dropped."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM holds WHERE until_block < ?", (head,))
            row = connection.execute("SELECT 1 FROM holds WHERE consortium = ?", (str(consortium),)).fetchone()
        return row is not None
