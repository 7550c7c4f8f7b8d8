"""Where trust in another consortium's chain begins: what its members agree on outside of the chains, and vote for."""

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode

from consortium.kernel.digests import keccak256
from contracts.errors import BlockNotFoundError
from contracts.reading.evidence import EvidenceGateway
from contracts.reading.validator_sets import DIGEST_SLOT, set_digest

__all__ = ["DIGEST_SLOT", "Anchor", "anchor_at", "set_digest"]


@dataclass(frozen=True)
class Anchor:
    """The contract's struct `Anchor`; `peer` is its digest, the subject of the members' vote (act SetPeer)."""

    chain_id: int
    models: str
    source: str
    height: int
    block_hash: bytes
    validators: bytes
    digest_slot: int = DIGEST_SLOT

    @property
    def struct(self) -> dict[str, Any]:
        """The contract's argument."""
        return {
            "chainId": self.chain_id,
            "models": self.models,
            "source": self.source,
            "digestSlot": self.digest_slot,
            "height": self.height,
            "blockHash": self.block_hash,
            "validators": self.validators,
        }

    @property
    def peer(self) -> bytes:
        """keccak256 of the ABI-encoded struct (32 bytes)."""
        kinds = ["uint64", "address", "address", "uint256", "uint64", "bytes32", "bytes32"]
        return keccak256(encode(kinds, list(self.struct.values())))


def anchor_at(chain: EvidenceGateway, *, models: str, source: str, height: int) -> Anchor:
    """Write down an anchor as one node shows it: compare with other members' nodes before anybody votes for it."""
    block = chain.block(height)
    if block is None:
        raise BlockNotFoundError(f"The node does not have block {height}.", block=height)
    proof = chain.storage_proof(source, DIGEST_SLOT, height)
    return Anchor(
        chain_id=chain.chain_id,
        models=models,
        source=source,
        height=height,
        block_hash=block.hash,
        validators=proof.value.to_bytes(32, "big"),
    )
