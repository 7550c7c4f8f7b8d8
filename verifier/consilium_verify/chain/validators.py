"""The sets of validators, and what the state of a block says about them.

The contract that QBFT asks, ValidatorSource, keeps the keccak-256 of its ascending list, each address padded to 32
bytes, in one slot: so one storage proof shows which set is in force from the next block on.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from consilium_verify.chain.accounts import proven_account, proven_slot
from consilium_verify.ethereum import keccak256
from consilium_verify.findings import RefusedError

MOST_VALIDATORS = 256


@dataclass(frozen=True)
class ValidatorSet:
    """Validators, ascending."""

    members: tuple[bytes, ...]

    def __post_init__(self) -> None:
        ascending = sorted(set(self.members))
        if not 1 <= len(self.members) <= MOST_VALIDATORS or list(self.members) != ascending or not any(ascending[0]):
            raise RefusedError(f"a set of validators is not 1 to {MOST_VALIDATORS} addresses, ascending and not zero")

    @cached_property
    def digest(self) -> bytes:
        """What the contract keeps of this list."""
        return keccak256(b"".join(member.rjust(32, b"\0") for member in self.members))

    @property
    def quorum(self) -> int:
        """The number of different seals that make a block final: two thirds, rounded up."""
        return -(-2 * len(self.members) // 3)


@dataclass(frozen=True, slots=True)
class Source:
    """Where the state keeps the digest of the list: the contract's address, and the number of the slot."""

    address: bytes
    slot: int


@dataclass(frozen=True, slots=True)
class SetProof:
    """The nodes that prove the source's account under the state root, and the slot under the account's storage root."""

    account: Sequence[bytes]
    digest: Sequence[bytes]


def proven_digest(state_root: bytes, source: Source, proof: SetProof) -> bytes:
    """Return the digest of the set that this state holds: in force from the next block on.

    Raises
    ------
    RefusedError
        If the proof does not hold, or the contract or its digest is not there.
    """
    try:
        account = proven_account(state_root, source.address, proof.account)
    except RefusedError as error:
        raise RefusedError(f"the proof of the validators' contract fails: {error}") from error
    if account is None:
        raise RefusedError("the state has no contract of validators at that address")
    try:
        digest = proven_slot(account.storage_root, source.slot, proof.digest)
    except RefusedError as error:
        raise RefusedError(f"the proof of the validators' digest fails: {error}") from error
    if digest == 0:
        raise RefusedError("the validators' contract has no digest in that slot")
    return digest.to_bytes(32, "big")


def listed(words: Mapping[int, int], slot: int) -> ValidatorSet:
    """Return the list that a contract's storage holds in a Solidity array: its length in the slot, then its items.

    `words` are the values of slots, each proven or known otherwise.

    Raises
    ------
    RefusedError
        If a word is missing, or is no address.
    """
    base = int.from_bytes(keccak256(slot.to_bytes(32, "big")), "big")
    length = words.get(slot, 0)
    if length > MOST_VALIDATORS:
        raise RefusedError(f"the list has more than {MOST_VALIDATORS} validators")
    found = [words.get(base + number) for number in range(length)]
    if any(word is None or word >> 160 for word in found):
        raise RefusedError("the list of validators is not wholly there")
    return ValidatorSet(tuple((word or 0).to_bytes(20, "big") for word in found))
