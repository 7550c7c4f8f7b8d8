"""What is handed to another consortium's CrossConsortiumInbox: headers, and proofs below them, from one's own node.

Nothing here is trusted by the contract that takes it; a wrong argument is refused there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from contracts.crosschain.anchors import DIGEST_SLOT
from contracts.reading.block_proofs import header_bytes, prove_receipt
from contracts.reading.evidence import StorageProof


class ProvenChain(Protocol):
    """What is asked of the chain whose events are delivered (`EvidenceGateway`)."""

    def header(self, number: int) -> dict[str, str]: ...

    def block_receipts(self, number: int) -> list[dict[str, Any]]: ...

    def storage_proof(self, address: str, slot: int, number: int) -> StorageProof: ...


@dataclass(frozen=True)
class EventPlace:
    """Where an event lies: its block, its transaction's place in it, its place among the transaction's logs."""

    block: int
    transaction_index: int
    log_index: int


def advance_arguments(
    chain: ProvenChain, peer: bytes, source: str, number: int, validators: Sequence[str]
) -> tuple[Any, ...]:
    """The arguments of `advance`: block `number`, sealed by `validators`, and the set in force after it."""
    proof = chain.storage_proof(source, DIGEST_SLOT, number)
    return peer, header_bytes(chain.header(number)), _ascending(validators), proof.account_nodes, proof.slot_nodes


def deliver_arguments(
    chain: ProvenChain, peer: bytes, place: EventPlace, validators: Sequence[str], *, up_to: int | None = None
) -> tuple[Any, ...]:
    """The arguments of `deliver` for one event.

    Parameters
    ----------
    validators : addresses
        The set in force that sealed the last header; empty where the contract has proven it already.
    up_to : int, optional
        A later block that links the event's block to what the contract can check, for events older than
        the last change of validators.
    """
    last = place.block if up_to is None else up_to
    headers = [header_bytes(chain.header(number)) for number in range(place.block, last + 1)]
    proof = prove_receipt(chain.block_receipts(place.block), place.transaction_index)
    receipt = {"index": proof.index, "nodes": proof.nodes, "logIndex": place.log_index}
    return peer, headers, _ascending(validators), receipt


def _ascending(validators: Sequence[str]) -> list[str]:
    return sorted(validators, key=lambda address: int(address, 16))
