"""A node's refusals, turned into our errors: the one place that reads a node's numbers and words.

Held to recordings of Besu (tests/data/besu) and to a running anvil. Besu answers -32005 with three
meanings and -32000 with about twenty; anvil answers -32003 for most: so words come before numbers.
"""

from collections.abc import Mapping
from typing import Any

from contracts.errors import (
    BlockNotFoundError,
    ChainAccessRefusedError,
    ChainError,
    ChainInternalError,
    ChainRequestError,
    ExecutionHaltedError,
    GasLimitError,
    GasPriceRefusedError,
    InsufficientFundsError,
    KnownTransactionError,
    NonceTooDistantError,
    NonceTooLowError,
    RangeTooLargeError,
    ReplacementUnderpricedError,
    SenderNotAuthorizedError,
    TransactionRefusedError,
    TransactionRevertedError,
    WrongChainError,
)

EXECUTION_REVERTED = 3

_BY_TEXT: tuple[tuple[str, type[ChainError], str], ...] = (
    ("known transaction", KnownTransactionError, "The node has this transaction already."),
    ("already known", KnownTransactionError, "The node has this transaction already."),
    ("already imported", KnownTransactionError, "The node has this transaction already."),
    ("nonce too low", NonceTooLowError, "The nonce is used up: look for the receipt by hash."),
    ("nonce is too distant", NonceTooDistantError, "The nonce is too far ahead: wait until earlier ones are mined."),
    ("nonce too high", NonceTooDistantError, "The nonce is too far ahead: wait until earlier ones are mined."),
    ("replacement transaction underpriced", ReplacementUnderpricedError, "Another transaction holds this nonce."),
    ("range exceeds", RangeTooLargeError, "Too many blocks of events at once: ask for fewer."),
    ("not authorized to send", SenderNotAuthorizedError, "Put the relay's account on the nodes' allow list."),
    ("wrong chainid", WrongChainError, "The transaction is for another chain: correct CHAIN_ID."),
    ("invalid chain id", WrongChainError, "The transaction is for another chain: correct CHAIN_ID."),
    ("below configured minimum gas price", GasPriceRefusedError, "Start every node with --min-gas-price=0."),
    ("upfront cost exceeds", InsufficientFundsError, "A price or value was given to a free transaction."),
    ("insufficient funds", InsufficientFundsError, "A price or value was given to a free transaction."),
    ("intrinsic gas", GasLimitError, "The gas limit is below what the transaction costs at least."),
    ("gas limit exceeds block", GasLimitError, "The gas limit is above a block's."),
    ("priority fee per gas exceeds", TransactionRefusedError, "Both fees of a transaction are zero here."),
    ("exceeds max batch size", ChainRequestError, "Too many requests in one batch."),
    ("block not found", BlockNotFoundError, "The node does not have that block."),
    ("unknown block", BlockNotFoundError, "The node does not have that block."),
    ("blockoutofrange", BlockNotFoundError, "The node does not have that block."),
    ("processing could not be completed", ExecutionHaltedError, ""),
    ("out of gas", ExecutionHaltedError, ""),
    ("outofgas", ExecutionHaltedError, ""),
    ("opcode", ExecutionHaltedError, ""),
    ("unauthorized", ChainAccessRefusedError, "The node refuses our token: check CHAIN_RPC_URL and its rights."),
    ("host not authorized", ChainAccessRefusedError, "Add this host name to the node's --host-allowlist."),
)
_BY_CODE: dict[int, tuple[type[ChainError], str]] = {
    -32007: (SenderNotAuthorizedError, "Put the relay's account on the nodes' allow list."),
    -32009: (GasPriceRefusedError, "Start every node with --min-gas-price=0."),
    -32600: (ChainRequestError, "The node does not take this request."),
    -32601: (ChainRequestError, "The node does not know this method."),
    -32602: (ChainRequestError, "The node does not take these parameters."),
    -32604: (ChainRequestError, "The method is not enabled on the node: start it with --rpc-http-api=ETH,NET,WEB3."),
    -32700: (ChainRequestError, "The node cannot read the request."),
    -40100: (ChainAccessRefusedError, "The node refuses our token: check CHAIN_RPC_URL and its rights."),
}


def error_from_answer(method: str, error: Mapping[str, Any]) -> ChainError:
    """The error that a JSON-RPC error object means.

    Refusals of a contract carry their raw data only; who knows the contract decodes them.
    """
    code, text = int(error.get("code", 0)), str(error.get("message", ""))
    lowered = text.lower()
    if code == EXECUTION_REVERTED or lowered.startswith("execution reverted"):
        return TransactionRevertedError("", data=_bytes(error.get("data")))
    for words, kind, advice in _BY_TEXT:
        if words in lowered:
            return _make(kind, method, text, code, advice)
    kind, advice = _BY_CODE.get(code, (ChainInternalError, "It may pass; if not, read the node's log."))
    return _make(kind, method, text, code, advice)


def _make(kind: type[ChainError], method: str, text: str, code: int, advice: str) -> ChainError:
    if issubclass(kind, TransactionRevertedError):
        return kind("ExecutionHalted", {"reason": text[:200]})
    return kind(f"{method} was refused ({code} {text[:200]}). {advice}", method=method, rpc_code=code)


def _bytes(value: object) -> bytes:
    """Revert data as nodes write it: 0x-hex, or nothing; anvil may wrap it in an object."""
    if isinstance(value, Mapping):
        value = value.get("data", value.get("result"))
    if not isinstance(value, str) or not value.startswith("0x"):
        return b""
    try:
        return bytes.fromhex(value[2:])
    except ValueError:
        return b""
