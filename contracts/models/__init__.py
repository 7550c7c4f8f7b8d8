"""The outbox, what it sends with, and what was read from the chain."""

from contracts.models.deployments import ContractDeployment
from contracts.models.outbox import OutboxTransaction, RelayAccount, StuckCode
from contracts.models.projection import AppliedMark, ChainCursor, ChainEventRecord
from contracts.models.proofs import BlockProof

__all__ = [
    "AppliedMark",
    "BlockProof",
    "ChainCursor",
    "ChainEventRecord",
    "ContractDeployment",
    "OutboxTransaction",
    "RelayAccount",
    "StuckCode",
]
