"""A trust file (`verifier/FORMAT.md` section 8) from what this site knows by itself: its own node, its own journal.

Nothing in it is taken from the platform but the log's key, as it was when this site first saw it: the key under
which every checkpoint was made that this site has co-signed. That is why a stranger asks a member, not the platform.
"""

import base64
import uuid
from collections.abc import Sequence
from typing import Any

from agent.chain import Chain, Consortium
from agent.errors import ChainNotTrustedError
from agent.names import NameBook
from agent.witness_book import Seen
from consortium.kernel.digests import keccak256
from consortium.kernel.identifiers import to_hex
from contracts.events import ChainEvent
from contracts.reading.validator_sets import CONTRACT as SOURCE
from contracts.reading.validator_sets import DIGEST_SLOT, stands_in_genesis

FORMAT = "consilium-trust/1"
REGISTRY = "ConsortiumRegistry"
_ADMITTED, _REPLACED = "OrganizationAdmitted", "KeyReplaced"
# The registry's enum KeyPurpose.
_PURPOSES = {"vote": 1, "site": 2}


def trust_file(chain: Chain, consortium: Consortium, log: Seen, names: NameBook, *, pin_log: bool) -> dict[str, Any]:
    """Return the trust file of a consortium's log.

    With `pin_log` it also pins the checkpoint that this site signed last: no bundle that was exported before it is
    accepted then, and none of a log that was cut back.

    Raises
    ------
    ChainNotTrustedError
        If the node does not have block 0.
    """
    chain.check_chain()
    genesis = chain.block(0)
    if genesis is None:
        raise ChainNotTrustedError(
            "The node does not have block 0, by which a chain is known. Ask one that has it all."
        )
    organizations = _organizations(chain, consortium, names)
    quorum = chain.call(consortium.reference(REGISTRY), "parameters")["witnessQuorum"]
    pinned = {"size": log.size, "root": base64.b64encode(log.root).decode()}
    return {
        "format": FORMAT,
        "chain": {"chain_id": consortium.chain_id, "genesis": to_hex(genesis.hash)} | _validators(chain, consortium),
        "contracts": {name: address.lower() for name, address in consortium.contracts.items()},
        "log": {"origin": log.key.name, "key": str(log.key), "id": to_hex(keccak256(log.key.name.encode()))},
        "organizations": organizations,
        "witness_quorum": min(int(quorum), len(organizations)),
    } | ({"log_checkpoint": pinned} if pin_log else {})


def consortium_of(identity: uuid.UUID, chain_id: int, pinned: dict[str, str]) -> Consortium:
    """Return a consortium by the contracts that this site has pinned; `ChainNotTrustedError` if it has none."""
    if not pinned:
        raise ChainNotTrustedError("This site has checked no contracts of that consortium yet.")
    return Consortium(identity, str(identity), chain_id, pinned)


def _validators(chain: Chain, consortium: Consortium) -> dict[str, Any]:
    """Return the contract that QBFT asks for its validators; nothing on a chain without, as in development."""
    address = consortium.contracts.get(SOURCE)
    if address is None or not stands_in_genesis(chain, address):
        return {}
    return {"validators": {"address": address.lower(), "slot": DIGEST_SLOT}}


def _organizations(chain: Chain, consortium: Consortium, names: NameBook) -> dict[str, dict[str, Any]]:
    """Return all that the registry ever admitted, with their keys as they are now and those that were replaced."""
    registry = consortium.reference(REGISTRY)
    events = chain.logs([registry], 0, chain.head().number)
    admitted = sorted({bytes(event.arguments["organization"]) for event in events if event.name == _ADMITTED})
    return {
        to_hex(organization): {"name": names.name(organization)}
        | {
            purpose: chain.call(registry, "keyOf", organization, number).lower()
            for purpose, number in _PURPOSES.items()
        }
        | _earlier([event for event in events if event.arguments.get("organization") == organization])
        for organization in admitted
    }


def _earlier(events: Sequence[ChainEvent]) -> dict[str, list[dict[str, Any]]]:
    """Return the keys that one organization replaced, each with the blocks in which it was listed; nothing if none."""
    began: dict[int, int] = {}
    earlier = []
    purposes = {number: purpose for purpose, number in _PURPOSES.items()}
    for event in events:
        if event.name == _ADMITTED:
            began = dict.fromkeys(purposes, event.block_number)
        elif event.name == _REPLACED and (purpose := purposes.get(event.arguments["purpose"])):
            number, key = event.arguments["purpose"], event.arguments["previousKey"].lower()
            span = {"from": began.get(number, 0), "until": event.block_number}
            earlier.append({"purpose": purpose, "key": key, **span})
            began[number] = event.block_number
    return {"earlier": earlier} if earlier else {}
