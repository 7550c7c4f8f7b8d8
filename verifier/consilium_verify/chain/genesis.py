"""Block 0 as a genesis file describes it: the state that it begins with, and the header that commits to it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consilium_verify.chain import rlp
from consilium_verify.chain.headers import Header, read_extra, read_header
from consilium_verify.chain.tries import EMPTY_ROOT, trie_root
from consilium_verify.chain.validators import ValidatorSet
from consilium_verify.ethereum import keccak256
from consilium_verify.fields import raw
from consilium_verify.findings import RefusedError

_EMPTY_LIST = keccak256(rlp.encode([]))
_NO_REQUESTS = hashlib.sha256(b"").digest()
# What Besu takes where the file gives no base fee: 1 gwei.
_BASE_FEE = 1_000_000_000
_EPOCH = 30_000


@dataclass(frozen=True, slots=True)
class Genesis:
    """Block 0, and how QBFT finds its validators: asking `contract`, or from `voted` on by votes in headers."""

    header: Header
    chain_id: int
    contract: bytes | None
    storage: Mapping[int, int]
    voted: ValidatorSet | None
    epoch: int


def read_genesis(document: Any) -> Genesis:
    """Return what a genesis file of Besu describes.

    Raises
    ------
    RefusedError
        If it is no genesis file of a QBFT chain, or changes how validators are found at a later block.
    """
    try:
        return _genesis(document)
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise RefusedError(f"not a genesis file of a QBFT chain: {error}") from error


def state_root(alloc: Mapping[str, Any]) -> bytes:
    """Return the root of the state that holds these accounts."""
    accounts = {keccak256(_address(address)): _account(account) for address, account in alloc.items()}
    return trie_root(accounts)


def _genesis(document: Any) -> Genesis:
    config, header = document["config"], read_header(_members(document))
    if any("validator" in key for change in config.get("transitions", {}).get("qbft", []) for key in change):
        raise RefusedError("the genesis file changes how validators are found at a later block")
    rules = config["qbft"]
    named = rules.get("validatorcontractaddress")
    contract = None if named is None else _address(named)
    return Genesis(
        header,
        int(config["chainId"]),
        contract,
        {} if contract is None else _storage(document["alloc"], contract),
        ValidatorSet(read_extra(header).validators) if contract is None else None,
        int(rules.get("epochlength", _EPOCH)),
    )


def _members(document: Mapping[str, Any]) -> dict[str, str]:
    config = document["config"]
    members = {
        **{
            "parentHash": bytes(32),
            "sha3Uncles": _EMPTY_LIST,
            "miner": raw(document.get("coinbase", "0x" + "00" * 20)),
        },
        **{"stateRoot": state_root(document["alloc"]), "transactionsRoot": EMPTY_ROOT, "receiptsRoot": EMPTY_ROOT},
        **{"logsBloom": bytes(256), "difficulty": _scalar(document["difficulty"]), "number": b""},
        **{"gasLimit": _scalar(document["gasLimit"]), "gasUsed": b"", "timestamp": _scalar(document["timestamp"])},
        **{"extraData": raw(document["extraData"].lower()), "mixHash": raw(document["mixHash"].lower())},
        "nonce": _number(document.get("nonce", "0x0")).to_bytes(8, "big"),
    }
    if config.get("londonBlock") == 0:
        members["baseFeePerGas"] = _scalar(document.get("baseFeePerGas", _BASE_FEE))
    if config.get("shanghaiTime") == 0:
        members["withdrawalsRoot"] = EMPTY_ROOT
    if config.get("cancunTime") == 0:
        members |= {"blobGasUsed": b"", "excessBlobGas": b"", "parentBeaconBlockRoot": bytes(32)}
    if config.get("pragueTime") == 0:
        members["requestsHash"] = _NO_REQUESTS
    return {name: "0x" + value.hex() for name, value in members.items()}


def _account(account: Mapping[str, Any]) -> bytes:
    words = {
        keccak256(_number(slot).to_bytes(32, "big")): rlp.encode(_scalar(value))
        for slot, value in account.get("storage", {}).items()
        if _number(value)
    }
    code = keccak256(raw(account.get("code", "0x").lower()))
    nonce, balance = _scalar(account.get("nonce", 0)), _scalar(account.get("balance", 0))
    return rlp.encode([nonce, balance, trie_root(words), code])


def _storage(alloc: Mapping[str, Any], contract: bytes) -> dict[int, int]:
    by_address = {_address(address): account for address, account in alloc.items()}
    if contract not in by_address:
        raise RefusedError("the genesis file does not hold the validators' contract that it names")
    return {_number(slot): _number(value) for slot, value in by_address[contract].get("storage", {}).items()}


def _address(text: str) -> bytes:
    return raw("0x" + text.lower().removeprefix("0x"), 20)


def _number(value: Any) -> int:
    """Numbers are JSON's, or texts: hexadecimal with 0x, else decimal."""
    return int(value, 16 if value.lower().startswith("0x") else 10) if isinstance(value, str) else int(value)


def _scalar(value: Any) -> bytes:
    return rlp.scalar(_number(value))
