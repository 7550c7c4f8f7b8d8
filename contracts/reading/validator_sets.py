"""Sets of validators as the contract ValidatorSource keeps them: which one QBFT asks, and where its digest lies."""

from collections.abc import Sequence
from typing import Protocol

from consortium.kernel.digests import keccak256

CONTRACT, REPLACED = "ValidatorSource", "ValidatorsReplaced"
# Slot of the digest in our ValidatorSource; an artifact test holds it.
DIGEST_SLOT = 1


class _Counting(Protocol):
    def transaction_count(self, address: str) -> int: ...


def set_digest(validators: Sequence[str]) -> bytes:
    """Return the digest of a set of validators as ValidatorSource keeps it: the addresses ascending, each in a word."""
    ascending = sorted(int(address, 16) for address in validators)
    return keccak256(b"".join(address.to_bytes(32, "big") for address in ascending))


def stands_in_genesis(chain: _Counting, address: str) -> bool:
    """Whether a contract is the genesis block's, and so may be the one that QBFT asks.

    Any node tells, however much it has pruned: a contract that a transaction created starts with nonce 1 (EIP-161),
    one of the genesis file with 0, and ValidatorSource creates nothing.
    """
    return chain.transaction_count(address) == 0
