"""Block 0's set of validators, proven from the genesis file: every node prunes that state, and the file has it all."""

from collections.abc import Mapping
from typing import Any, Protocol

import rlp

from consortium.kernel.digests import keccak256
from consortium.kernel.identifiers import to_hex
from contracts.errors import GenesisMismatchError
from contracts.events import BlockHeader
from contracts.reading.block_proofs import sealed_hash
from contracts.reading.capturing import GENESIS, Captured
from contracts.reading.tries import state_proof, state_root
from contracts.reading.validator_sets import DIGEST_SLOT, set_digest

_LIST_SLOT = 0
Words = Mapping[int, int]


class FirstBlock(Protocol):
    """What is asked of a node: block 0, which every node keeps."""

    def header(self, number: int) -> dict[str, str]: ...

    def block(self, number: int) -> BlockHeader | None: ...


def prove_genesis(chain: FirstBlock, document: Mapping[str, Any], source: str) -> Captured:
    """Prove the list that `source` holds in block 0; the header is the node's, and commits to the file's state.

    Raises
    ------
    GenesisMismatchError
        If the file is another chain's, no genesis file, or does not hold the contract.
    ChainError
        If the node does not answer.
    """
    header, first = chain.header(GENESIS), chain.block(GENESIS)
    try:
        accounts, words = _accounts(document["alloc"]), _storage(document["alloc"], _address(source))
        members = _members(words)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise GenesisMismatchError(f"The file is no genesis file that holds {source}.") from error
    is_ours = first is not None and sealed_hash(header) == first.hash
    if not is_ours or to_hex(state_root(accounts)) != header["stateRoot"]:
        raise GenesisMismatchError("The file is not that of the chain that CHAIN_RPC_URL names: block 0 differs.")
    if words.get(DIGEST_SLOT) != int.from_bytes(set_digest(members), "big"):
        raise GenesisMismatchError(f"The contract {source} keeps no list of validators with its digest in slot 1.")
    return Captured(
        header,
        account_nodes=[to_hex(node) for node in state_proof(accounts, _address(source))],
        digest_nodes=[to_hex(node) for node in state_proof(_encoded(words), _slot(DIGEST_SLOT))],
        validators=members,
    )


def _accounts(alloc: Mapping[str, Any]) -> dict[bytes, bytes]:
    return {_address(address): _account(account) for address, account in alloc.items()}


def _account(account: Mapping[str, Any]) -> bytes:
    words = {_number(slot): _number(value) for slot, value in account.get("storage", {}).items()}
    code = bytes.fromhex(account.get("code", "0x").removeprefix("0x"))
    nonce, balance = _number(account.get("nonce", 0)), _number(account.get("balance", 0))
    encoded: bytes = rlp.encode([nonce, balance, state_root(_encoded(words)), keccak256(code)])
    return encoded


def _storage(alloc: Mapping[str, Any], address: bytes) -> dict[int, int]:
    by_address = {_address(name): account for name, account in alloc.items()}
    return {_number(slot): _number(value) for slot, value in by_address[address]["storage"].items()}


def _encoded(words: Words) -> dict[bytes, bytes]:
    """Slots as the storage's trie holds them: none that is zero."""
    return {_slot(slot): rlp.encode(value) for slot, value in words.items() if value}


def _members(words: Words) -> list[str]:
    first = int.from_bytes(keccak256(_slot(_LIST_SLOT)), "big")
    return [f"0x{words[first + place]:040x}" for place in range(words[_LIST_SLOT])]


def _slot(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _address(text: str) -> bytes:
    found = bytes.fromhex(text.removeprefix("0x"))
    if len(found) != 20:
        raise ValueError("no address")
    return found


def _number(value: Any) -> int:
    """Numbers are JSON's, or texts: hexadecimal with 0x, else decimal."""
    return int(value, 16 if value.startswith("0x") else 10) if isinstance(value, str) else int(value)
