"""Accounts and their storage, proven under the state root of a block (`eth_getProof`, EIP-1186)."""

from collections.abc import Sequence
from dataclasses import dataclass

from consilium_verify.chain import rlp
from consilium_verify.chain.tries import proven
from consilium_verify.ethereum import keccak256


@dataclass(frozen=True, slots=True)
class Account:
    """What the state holds of an account."""

    nonce: int
    balance: int
    storage_root: bytes
    code_hash: bytes


def proven_account(state_root: bytes, address: bytes, nodes: Sequence[bytes]) -> Account | None:
    """Return the account at an address, or None if the proof shows that there is none."""
    value = proven(state_root, keccak256(address), nodes)
    if value is None:
        return None
    nonce, balance, storage_root, code_hash = rlp.items(rlp.decode(value), 4)
    return Account(rlp.number(nonce, 8), rlp.number(balance), rlp.string(storage_root, 32), rlp.string(code_hash, 32))


def proven_slot(storage_root: bytes, slot: int, nodes: Sequence[bytes]) -> int:
    """Return the word in a slot of an account's storage; absent is zero."""
    value = proven(storage_root, keccak256(slot.to_bytes(32, "big")), nodes)
    return 0 if value is None else rlp.number(rlp.decode(value))
