"""The attempt that every key, share and signature of secure aggregation is bound to."""

import uuid
from dataclasses import dataclass
from typing import Final

from consortium.kernel.identifiers import uuid_to_bytes32
from training.federated.errors import WireFormatError

# Bound into every derived key and commitment; raised when any of them changes its meaning.
PROTOCOL: Final = b"consilium/secagg/1"
_UINT32: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class AttemptContext:
    """One attempt of one round of one run on one ledger.

    Parameters
    ----------
    chain_id : int
        EIP-155 chain id.
    ledger : bytes
        Address of the TrainingLedger, 20 bytes.
    run : uuid.UUID
    round, attempt : int
        From 1, uint32 on the chain.
    """

    chain_id: int
    ledger: bytes
    run: uuid.UUID
    round: int
    attempt: int

    def __post_init__(self) -> None:
        if not 0 < self.chain_id < 2**256 or len(self.ledger) != 20:
            raise WireFormatError("A chain id is a positive uint256 and a ledger an address of 20 bytes.")
        if not (1 <= self.round <= _UINT32 and 1 <= self.attempt <= _UINT32):
            raise WireFormatError("Rounds and attempts count from 1 and fit 32 bits.")

    def encode(self) -> bytes:
        """Return a fixed-width encoding, the same for no two contexts."""
        return b"".join(
            (
                PROTOCOL,
                self.chain_id.to_bytes(32, "big"),
                self.ledger,
                uuid_to_bytes32(self.run),
                self.round.to_bytes(4, "big"),
                self.attempt.to_bytes(4, "big"),
            )
        )

    def info(self, label: bytes, first: uuid.UUID, second: uuid.UUID) -> bytes:
        """Return the HKDF info or hash prefix that binds a label and two organizations to this attempt."""
        if not 0 < len(label) < 256:
            raise ValueError("a label has 1 to 255 bytes")
        return self.encode() + first.bytes + second.bytes + bytes([len(label)]) + label
