"""What an auditor wants of a block and a node gives once: its whole header, in one spelling."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from django.conf import settings

from contracts.chain import tokens_from_settings, urls_from_settings
from contracts.errors import BlockNotFoundError
from contracts.events import StorageProof
from contracts.gateway import Gateway

__all__ = [
    "FORK_MEMBERS",
    "HEADER_MEMBERS",
    "EvidenceGateway",
    "StorageProof",
    "evidence_from_settings",
    "written_header",
]

# By their RPC names, in the order of the header's RLP: the yellow paper's, then one or more for each fork.
HEADER_MEMBERS = (
    *("parentHash", "sha3Uncles", "miner", "stateRoot", "transactionsRoot", "receiptsRoot", "logsBloom"),
    *("difficulty", "number", "gasLimit", "gasUsed", "timestamp", "extraData", "mixHash", "nonce"),
)
FORK_MEMBERS = (
    *("baseFeePerGas", "withdrawalsRoot", "blobGasUsed", "excessBlobGas", "parentBeaconBlockRoot", "requestsHash"),
)


class EvidenceGateway(Gateway):
    """A gateway that also hands out headers as the node has them."""

    def header(self, number: int) -> dict[str, str]:
        """Return a block's header: members by their RPC names, all lower-case hex of whole bytes.

        Raises
        ------
        BlockNotFoundError
            If the node does not have the block, or keeps no whole header of it.
        """
        found = self._ask("eth_getBlockByNumber", [hex(number), False])
        if found is None:
            raise BlockNotFoundError(f"The node does not have block {number}.", block=number)
        return written_header(found)

    def block_receipts(self, number: int) -> list[dict[str, Any]]:
        """Return all receipts of a block as the node has them, in the block's order.

        Raises
        ------
        BlockNotFoundError
            If the node does not have the block, or no receipts of it any more.
        """
        found = self._ask("eth_getBlockReceipts", [hex(number)])
        if found is None:
            raise BlockNotFoundError(f"The node has no receipts of block {number}.", block=number)
        return [dict(receipt) for receipt in found]

    def storage_proof(self, address: str, slot: int, number: int) -> StorageProof:
        """Return the proof of one storage slot in the state of a block.

        Raises
        ------
        BlockNotFoundError
            If the node does not have that state (any more): ask one that keeps it.
        """
        found = self._ask("eth_getProof", [address, [f"0x{slot:064x}"], hex(number)])
        if found is None or not found["storageProof"]:
            raise BlockNotFoundError(f"The node does not have the state of block {number}.", block=number)
        (entry,) = found["storageProof"]
        return StorageProof(
            account_nodes=[_bytes(node) for node in found["accountProof"]],
            slot_nodes=[_bytes(node) for node in entry["proof"]],
            value=int(str(entry["value"]), 16),
        )

    def genesis(self) -> bytes:
        """Return the hash of block 0, by which a chain is known."""
        first = self.block(0)
        if first is None:
            raise BlockNotFoundError("The node does not have block 0. Ask one that keeps the whole chain.", block=0)
        return first.hash


@lru_cache(maxsize=1)
def evidence_from_settings() -> EvidenceGateway:
    """The gateway to CHAIN_RPC_URL for exports, made once a process."""
    return EvidenceGateway(urls_from_settings(), chain_id=settings.CHAIN_ID, tokens=tokens_from_settings())


def written_header(block: Mapping[str, Any]) -> dict[str, str]:
    """Return the header's members of a block as a node answers it; `BlockNotFoundError` if one is missing."""
    # The gateway's middleware moves QBFT's long extraData under another name.
    values = {"extraData": block.get("proofOfAuthorityData"), **block}
    if missing := [name for name in HEADER_MEMBERS if values.get(name) is None]:
        raise BlockNotFoundError(f"The node gives no whole header: {', '.join(missing)} missing.")
    written = {name: _whole_bytes(values[name]) for name in HEADER_MEMBERS}
    for name in FORK_MEMBERS:
        # Each fork adds after the last one's: what follows a gap belongs to no header.
        if values.get(name) is None:
            break
        written[name] = _whole_bytes(values[name])
    return written


def _whole_bytes(value: Any) -> str:
    digits = bytes(value).hex() if isinstance(value, bytes) else str(value).removeprefix("0x").lower()
    return "0x" + ("0" * (len(digits) % 2)) + digits


def _bytes(value: Any) -> bytes:
    return bytes(value) if isinstance(value, bytes) else bytes.fromhex(str(value)[2:])
