"""What was signed for the platform to relay, kept as bytes until the platform has taken it."""

import json
from dataclasses import dataclass
from typing import Any

from agent.clock import Clock, now
from agent.journal import Journal
from consortium.kernel.canonical import canonical_json

# A letter that the platform took and that is not on the chain by then was lost or reverted; its number is free again.
LANDING_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Letter:
    """A signed message on its way: the request that carries it, resent byte for byte until it is answered.

    `decision` is the journal's key of what was decided; `scope` and `nonce` say which number of which signer it
    uses (scope empty: the message carries none). The digest is the idempotency key.
    """

    digest: str
    decision: str
    scope: str
    nonce: int
    path: str
    body: dict[str, Any]
    state: str = "signed"


class Letters:
    """The journal's table of letters."""

    def __init__(self, journal: Journal, *, clock: Clock = now) -> None:
        self._journal = journal
        self._clock = clock

    def keep(self, letter: Letter) -> None:
        """Store a letter before it is sent; the same letter again changes nothing."""
        body = canonical_json(letter.body).decode()
        row = (letter.digest, letter.decision, letter.scope, letter.nonce, letter.path, body, letter.state)
        with self._journal.transaction() as connection:
            statement = "INSERT OR IGNORE INTO letters VALUES (?,?,?,?,?,?,?,?)"
            connection.execute(statement, (*row, int(self._clock().timestamp())))

    def of_decision(self, decision: str) -> list[Letter]:
        """Return the letters that carry a decision, the latest number last."""
        return self._select("decision = ? ORDER BY nonce", decision)

    def waiting(self) -> list[Letter]:
        """Return what is signed and not yet taken by the platform, in the order of signing."""
        return self._select("state = 'signed' ORDER BY rowid")

    def next_nonce(self, scope: str, on_chain: int) -> int:
        """Return the first number that neither the chain nor a letter on its way has used."""
        recent = int(self._clock().timestamp()) - LANDING_SECONDS
        on_their_way = "scope = ? AND (state = 'signed' OR state = 'sent' AND kept_at > ?)"
        pending = [letter.nonce for letter in self._select(on_their_way, scope, recent)]
        return max([on_chain, *(nonce + 1 for nonce in pending)])

    def settle(self, letter: Letter, state: str, **detail: Any) -> None:
        """Write the platform's answer: `sent` or `refused`."""
        with self._journal.transaction() as connection:
            connection.execute("UPDATE letters SET state = ? WHERE digest = ?", (state, letter.digest))
            self._journal.record("letter", state, digest=letter.digest, path=letter.path, **detail)

    def _select(self, where: str, *values: Any) -> list[Letter]:
        columns = "digest, decision, scope, nonce, method_path, body, state"
        rows = self._journal.read(f"SELECT {columns} FROM letters WHERE {where}", *values)  # noqa: S608  callers' constants
        return [
            Letter(digest, decision, scope, nonce, path, json.loads(body), state)
            for digest, decision, scope, nonce, path, body, state in rows
        ]
