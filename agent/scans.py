"""How far a contract's past has been read and what came of it, kept beside the journal and continued from there."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from agent.chain import Chain
from agent.journal import Journal
from consortium.kernel.canonical import canonical_json
from consortium.kernel.identifiers import to_hex
from contracts.events import BlockHeader

BEFORE_THE_FIRST_BLOCK = -1


@dataclass(frozen=True)
class Look:
    """What was found up to a block; items are as JSON has them."""

    block: int = BEFORE_THE_FIRST_BLOCK
    items: tuple[Any, ...] = ()


class Scans:
    """Looks at the past of contracts, each under a name; `field` names the items in what is kept."""

    def __init__(self, chain: Chain, journal: Journal, *, field: str) -> None:
        self._chain = chain
        self._journal = journal
        self._field = field

    def last(self, name: str) -> Look:
        """Return the last look, unless the chain has other blocks since (a development chain that came back)."""
        rows = self._journal.read("SELECT state FROM scans WHERE name = ?", name)
        state: dict[str, Any] = json.loads(rows[0][0]) if rows else {}
        known = self._chain.block(state["block"]) if state else None
        if known is None or to_hex(known.hash) != state["hash"]:
            return Look()
        return Look(state["block"], tuple(state[self._field]))

    def keep(self, name: str, head: BlockHeader, items: Iterable[Any]) -> None:
        """Keep what was found up to this block."""
        state = {"block": head.number, "hash": to_hex(head.hash), self._field: sorted(items)}
        with self._journal.transaction() as connection:
            statement = "INSERT INTO scans VALUES (?, ?) ON CONFLICT DO UPDATE SET state = excluded.state"
            connection.execute(statement, (name, canonical_json(state).decode()))
