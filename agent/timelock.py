"""Who holds rights on a consortium's timelock, from its whole history: a deployer that kept one shows here."""

import json
from collections.abc import Mapping
from typing import Any

from agent.chain import Chain, Consortium
from agent.journal import Journal
from consortium.kernel.canonical import canonical_json
from consortium.kernel.digests import keccak256
from consortium.kernel.identifiers import to_hex
from contracts.events import BlockHeader

_ADMIN = bytes(32)
_PROPOSER, _EXECUTOR, _CANCELLER = (
    keccak256(name.encode()) for name in ("PROPOSER_ROLE", "EXECUTOR_ROLE", "CANCELLER_ROLE")
)
_ZERO = "0x" + "0" * 40
Rights = set[tuple[str, str]]


class TimelockHistory:
    """The roles granted and not revoked, read once and then continued from where the last look ended."""

    def __init__(self, chain: Chain, journal: Journal) -> None:
        self._chain = chain
        self._journal = journal

    def rights(self, consortium: Consortium) -> Rights:
        """Return (role, account) of every right held at the head."""
        timelock = consortium.reference("TimelockController")
        head = self._chain.head()
        key = f"timelock:{consortium.chain_id}:{timelock.address}"
        state = self._state(key)
        held: Rights = {(role, account) for role, account in state["held"]}
        if state["block"] < head.number:
            for event in self._chain.logs([timelock], state["block"] + 1, head.number):
                right = (to_hex(event.arguments["role"]), event.arguments["account"]) if "Role" in event.name else None
                if event.name == "RoleGranted" and right:
                    held.add(right)
                elif event.name == "RoleRevoked" and right:
                    held.discard(right)
            self._keep(key, head, held)
        return held

    def _state(self, key: str) -> Mapping[str, Any]:
        """Return the last look, unless the chain has other blocks since (a development chain that came back)."""
        rows = self._journal.read("SELECT state FROM scans WHERE name = ?", key)
        state: dict[str, Any] = json.loads(rows[0][0]) if rows else {}
        known = self._chain.block(state["block"]) if state else None
        if known is None or to_hex(known.hash) != state["hash"]:
            return {"block": -1, "held": []}
        return state

    def _keep(self, key: str, head: BlockHeader, held: Rights) -> None:
        state = {"block": head.number, "hash": to_hex(head.hash), "held": sorted(list(right) for right in held)}
        with self._journal.transaction() as connection:
            statement = "INSERT INTO scans VALUES (?, ?) ON CONFLICT DO UPDATE SET state = excluded.state"
            connection.execute(statement, (key, canonical_json(state).decode()))


def strangers(rights: Rights, consortium: Consortium) -> Rights:
    """Return the rights of accounts other than those the design gives them to.

    The timelock administers itself; the governor alone proposes and executes (executing what was voted may also be
    open to everybody, which is the zero address); the guardian alone cancels.
    """
    names = ("TimelockController", "ConsortiumGovernor", "Guardian")
    timelock, governor, guardian = (consortium.reference(name).address for name in names)
    meant = {(to_hex(_ADMIN), timelock), (to_hex(_EXECUTOR), _ZERO)}
    meant |= {(to_hex(_PROPOSER), governor), (to_hex(_EXECUTOR), governor), (to_hex(_CANCELLER), guardian)}
    return rights - meant
