"""A development chain as a QBFT network would show it: anvil's roots and receipts, headers sealed by test keys.

anvil seals nothing, so who writes blocks is simulated here, and nothing else: state, receipts and
storage proofs are the node's.
"""

from collections.abc import Sequence
from typing import Any

import rlp
from eth_account import Account
from eth_account.signers.local import LocalAccount

from consortium.kernel.digests import keccak256
from consortium.kernel.secp256k1 import sign_digest
from contracts.events import ChainEvent, ContractReference, Receipt
from contracts.reading.block_proofs import header_bytes
from contracts.reading.evidence import EvidenceGateway, StorageProof


def validators(count: int) -> list[LocalAccount]:
    """Accounts that seal, by ascending address."""
    return sorted((Account.create() for _ in range(count)), key=lambda account: int(account.address, 16))


class SealedChain:
    """Headers of an anvil, each linked to the one before by its QBFT hash, sealed by whoever is asked to."""

    def __init__(self, gateway: EvidenceGateway, sealers: Sequence[LocalAccount]) -> None:
        self.gateway = gateway
        self.sealers = list(sealers)
        self.proposer = self.sealers[0].address.lower()
        self.hashes: dict[int, bytes] = {}
        self.told: dict[int, Sequence[LocalAccount]] = {}

    @property
    def chain_id(self) -> int:
        return self.gateway.chain_id

    def header(self, number: int) -> dict[str, str]:
        """The header as its nodes would write it, sealed in round 0 by `sealers`, or those told for a block."""
        return self.sealed_by(self.told.get(number, self.sealers), number)

    def sealed_by(self, sealers: Sequence[LocalAccount], number: int, *, round_number: int = 0) -> dict[str, str]:
        """The header with the seals of these, whoever they are."""
        digest = keccak256(header_bytes(self._with(number, extra(round_number, []))))
        return self._with(number, extra(round_number, [seal(sealer, digest) for sealer in sealers]))

    def hash(self, number: int) -> bytes:
        """The block's hash: round 0 and no seals."""
        if number not in self.hashes:
            self.hashes[number] = keccak256(header_bytes(self._with(number, extra(0, []))))
        return self.hashes[number]

    def block_receipts(self, number: int) -> list[dict[str, Any]]:
        return self.gateway.block_receipts(number)

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        return self.gateway.receipt(transaction_hash)

    def call(self, contract: ContractReference, function: str, *arguments: Any, block: int | None = None) -> Any:
        return self.gateway.call(contract, function, *arguments, block=block)

    def logs(self, contracts: Sequence[ContractReference], from_block: int, to_block: int) -> list[ChainEvent]:
        return self.gateway.logs(contracts, from_block, to_block)

    def storage_proof(self, address: str, slot: int, number: int) -> StorageProof:
        return self.gateway.storage_proof(address, slot, number)

    def _with(self, number: int, extra: bytes) -> dict[str, str]:
        parent = self.hash(number - 1) if number else bytes(32)
        return {
            **self.gateway.header(number),
            "parentHash": "0x" + parent.hex(),
            "miner": self.proposer,
            "extraData": "0x" + extra.hex(),
        }


def extra(round_number: int, seals: list[bytes]) -> bytes:
    return bytes(rlp.encode([bytes(32), [], [], round_number, seals]))


def seal(sealer: LocalAccount, digest: bytes) -> bytes:
    signature = sign_digest(digest, bytes(sealer.key))
    return signature[:64] + bytes([signature[64] - 27])
