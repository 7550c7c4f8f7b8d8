"""The organizations that a consortium's registry has ever admitted: the contract lists none, its events do.

Read once from the first block and then continued, as the rights on the timelock are.
"""

import json
from collections.abc import Mapping
from typing import Any

from agent.chain import Chain, Consortium
from agent.journal import Journal
from consortium.kernel.canonical import canonical_json
from consortium.kernel.identifiers import from_hex, to_hex
from contracts.events import BlockHeader
from contracts.network.registered import Registered

REGISTRY = "ConsortiumRegistry"
ADMITTED = "OrganizationAdmitted"


class RegistryBook:
    """Reads registries on the member's own node; what was read of their past is kept beside the journal."""

    def __init__(self, chain: Chain, journal: Journal) -> None:
        self._chain = chain
        self._journal = journal

    def has_news(self, consortium: Consortium) -> bool:
        """Whether the registry has said anything since its organizations were read last."""
        head, state = self._chain.head(), self._state(consortium)
        if head.number <= state["block"]:
            return False
        return bool(self._chain.logs([consortium.reference(REGISTRY)], state["block"] + 1, head.number))

    def organizations(self, consortium: Consortium, head: BlockHeader) -> list[Registered]:
        """Return every organization that was ever admitted, as the registry has it at a block."""
        reference = consortium.reference(REGISTRY)
        identifiers = self._identifiers(consortium, head)
        return [
            Registered.of(one, self._chain.call(reference, "organization", one, block=head.number))
            for one in identifiers
        ]

    def _identifiers(self, consortium: Consortium, head: BlockHeader) -> list[bytes]:
        state = self._state(consortium)
        known = {from_hex(one) for one in state["organizations"]}
        if state["block"] < head.number:
            events = self._chain.logs([consortium.reference(REGISTRY)], state["block"] + 1, head.number)
            known |= {event.arguments["organization"] for event in events if event.name == ADMITTED}
            self._keep(consortium, head, known)
        return sorted(known)

    def _state(self, consortium: Consortium) -> Mapping[str, Any]:
        """Return the last look, unless the chain has other blocks since (a development chain that came back)."""
        rows = self._journal.read("SELECT state FROM scans WHERE name = ?", self._name(consortium))
        state: dict[str, Any] = json.loads(rows[0][0]) if rows else {}
        known = self._chain.block(state["block"]) if state else None
        if known is None or to_hex(known.hash) != state["hash"]:
            return {"block": -1, "organizations": []}
        return state

    def _keep(self, consortium: Consortium, head: BlockHeader, known: set[bytes]) -> None:
        listed = sorted(to_hex(one) for one in known)
        state = {"block": head.number, "hash": to_hex(head.hash), "organizations": listed}
        with self._journal.transaction() as connection:
            statement = "INSERT INTO scans VALUES (?, ?) ON CONFLICT DO UPDATE SET state = excluded.state"
            connection.execute(statement, (self._name(consortium), canonical_json(state).decode()))

    @staticmethod
    def _name(consortium: Consortium) -> str:
        return f"registry:{consortium.chain_id}:{consortium.reference(REGISTRY).address}"
