"""What the site signed about consents, kept as bytes until the platform took it, and sent in the order of signing.

It lies beside the consents, in the transaction that it tells of, and not in the journal: a batch holds pseudonymous
consents, which erasure must be able to delete. A body is deleted as soon as it was answered.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.client import PlatformClient
from agent.consents.database import Database
from agent.errors import PlatformAwayError, PlatformRefusedError, PolicyRefusedError
from consortium.kernel.canonical import canonical_json
from contracts.signing.errors import SignerError

logger = logging.getLogger(__name__)
# Not the message's fault: it is sent again as it is. A session that expired, or an older batch not yet there.
_PASSING = frozenset({401, 408, 425})


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A signed request on its way; the digest of what was signed is its idempotency key."""

    digest: str
    path: str
    body: Mapping[str, Any]


class OutgoingMail:
    """The store's table of requests."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, message: Outgoing) -> None:
        """Store a request within the caller's transaction; the same one again changes nothing."""
        body = canonical_json(dict(message.body)).decode()
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT OR IGNORE INTO outgoing (digest, path, body, state) VALUES (?, ?, ?, 'waiting')",
                (message.digest, message.path, body),
            )

    def waiting(self) -> list[Outgoing]:
        """Return what was not answered yet, in the order of signing."""
        rows = self._database.rows("SELECT digest, path, body FROM outgoing WHERE state = 'waiting' ORDER BY position")
        return [Outgoing(digest, path, json.loads(body)) for digest, path, body in rows]

    def state_of(self, digest: str) -> str:
        """Return `waiting`, `sent` or `refused`; empty for a request that was never kept."""
        row = self._database.row("SELECT state FROM outgoing WHERE digest = ?", digest)
        return "" if row is None else str(row[0])

    def refused(self) -> list[tuple[str, str]]:
        """Return path and reason of what the platform refused."""
        rows = self._database.rows("SELECT path, reason FROM outgoing WHERE state = 'refused' ORDER BY position")
        return [(str(path), str(reason)) for path, reason in rows]

    def settle(self, message: Outgoing, state: str, reason: str = "") -> None:
        """Write the platform's answer and forget the body."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE outgoing SET state = ?, reason = ?, body = '' WHERE digest = ?", (state, reason, message.digest)
            )

    async def deliver(self, client: PlatformClient) -> int:
        """Hand over what waits, in order, the same bytes each time; return how many still wait."""
        waiting = self.waiting()
        for count, message in enumerate(waiting):
            try:
                await client.post(message.path, message.body, idempotency_key=message.digest)
            except (PlatformAwayError, PolicyRefusedError, SignerError):
                return len(waiting) - count
            except PlatformRefusedError as error:
                if error.status in _PASSING:
                    return len(waiting) - count
                reason = str(error.fields["reason"])
                logger.warning("the platform refused %s: %s", message.path, reason)
                self.settle(message, "refused", reason)
            else:
                self.settle(message, "sent")
        return 0
