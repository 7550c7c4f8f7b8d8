"""A node's refusals, turned into our errors: the one place that reads a node's numbers and words.

Held to every refusal of a recorded Besu network (tests/data/besu), to those that only stand in Besu's source
(RpcErrorType.java, 26.9), and to a running anvil. A number alone does not
tell: Besu answers -32005 with three meanings and -32000 with about twenty, anvil -32003 for most. A text alone
does not either: "block not found" means a missing parameter at -32602 and a missing block at -32000. So rules name
words and, where it matters, numbers and methods; the first that fits decides, and a bare number comes last.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.errors import (
    BatchTooLargeError,
    BlockNotFoundError,
    ChainAccessRefusedError,
    ChainError,
    ChainInternalError,
    ChainRequestError,
    ChainTimeoutError,
    CreationTooLargeError,
    ExecutionHaltedError,
    GasLimitError,
    GasPriceRefusedError,
    InsufficientFundsError,
    KnownTransactionError,
    NodeSyncingError,
    NonceTooDistantError,
    NonceTooLowError,
    PermissionsRefusal,
    PermissionsRefusedError,
    RangeTooLargeError,
    ReplacementUnderpricedError,
    SenderNotAuthorizedError,
    StatePrunedError,
    TransactionRefusedError,
    TransactionRevertedError,
    UnknownRefusalError,
    WindowAboveHeadError,
    WrongChainError,
)

EXECUTION_REVERTED = 3
INVALID_PARAMETERS = -32602
UNAUTHORIZED = -40100

_HAS_IT = "The node has this transaction already."
_TOO_FAR = "The nonce is too far ahead: wait until earlier ones are mined."
_OTHER_CHAIN = "The transaction is for another chain: correct CHAIN_ID."
_PAID = "A price or value was given to a free transaction."
_NO_BLOCK = "The node does not have that block."
_LISTED = "Put the relay's account on the nodes' allow list."
_FREE = "Start every node with --min-gas-price=0."
_NOT_LET_IN = "The node refuses our token, or there is none: check CHAIN_RPC_TOKEN_FILE or CHAIN_RPC_JWT_KEY_FILE."
_UNREADABLE = "The node does not take these parameters."
_PRUNED = "The node has pruned what this takes: ask one that keeps old states (FOREST, synchronised in full)."
_SYNCING = "The node still reads the chain from its peers: wait, or look at its peers if it stays so."
_FILE = "Let the node's user write permissions_config.toml and its folder; if it was edited by hand, restart the node."


@dataclass(frozen=True)
class _Rule:
    """What words mean, in lower case; with `codes` or `method` given, only there."""

    words: str
    kind: type[ChainError]
    advice: str
    codes: tuple[int, ...] = ()
    method: str = ""

    def fits(self, method: str, code: int, text: str) -> bool:
        return (
            self.words in text and (not self.codes or code in self.codes) and (not self.method or method == self.method)
        )


_BY_TEXT: tuple[_Rule, ...] = (
    _Rule("known transaction", KnownTransactionError, _HAS_IT),
    _Rule("already known", KnownTransactionError, _HAS_IT),
    _Rule("already imported", KnownTransactionError, _HAS_IT),
    _Rule("nonce too low", NonceTooLowError, "The nonce is used up: look for the receipt by hash."),
    _Rule("nonce is too distant", NonceTooDistantError, _TOO_FAR),
    _Rule("nonce too high", NonceTooDistantError, _TOO_FAR),
    _Rule("transaction with a lower nonce exists", NonceTooDistantError, _TOO_FAR),
    _Rule("replacement transaction underpriced", ReplacementUnderpricedError, "Another transaction holds this nonce."),
    _Rule("range exceeds", RangeTooLargeError, "Too many blocks of events at once: ask for fewer."),
    _Rule("exceeds max batch size", BatchTooLargeError, "Too many requests in one batch: send fewer."),
    _Rule("not authorized to send", SenderNotAuthorizedError, _LISTED),
    _Rule("wrong chainid", WrongChainError, _OTHER_CHAIN),
    _Rule("invalid chain id", WrongChainError, _OTHER_CHAIN),
    _Rule("chainid is required", WrongChainError, _OTHER_CHAIN),
    _Rule("chainid not supported", WrongChainError, _OTHER_CHAIN),
    _Rule("below configured minimum gas price", GasPriceRefusedError, _FREE),
    _Rule("upfront cost exceeds", InsufficientFundsError, _PAID),
    _Rule("insufficient funds", InsufficientFundsError, _PAID),
    _Rule("intrinsic gas", GasLimitError, "The gas limit is below what it costs at least, or above a block's."),
    _Rule("gas limit exceeds block", GasLimitError, "The gas limit is above a block's."),
    _Rule("gas limit cap exceeded", GasLimitError, "The gas limit is above what one transaction may take."),
    _Rule("fee cap exceeded", TransactionRefusedError, "Both fees of a transaction are zero here."),
    _Rule("invalid signature", TransactionRefusedError, "The bytes were changed on their way."),
    _Rule("plugin has marked", TransactionRefusedError, "A plugin of the node refuses it: ask its operator."),
    _Rule("transaction pool not enabled", NodeSyncingError, _SYNCING),
    _Rule("initial sync is still in progress", NodeSyncingError, _SYNCING),
    _Rule("max initcode size", CreationTooLargeError, "Split the contract."),
    _Rule("priority fee per gas", TransactionRefusedError, "Both fees of a transaction are zero here."),
    # A window above the node's own head; the text says no more than that.
    _Rule("invalid params", WindowAboveHeadError, _NO_BLOCK, (INVALID_PARAMETERS,), "eth_getLogs"),
    # A block parameter that is not there at all: asking again does not help.
    _Rule("invalid block param", ChainRequestError, _UNREADABLE, (INVALID_PARAMETERS,)),
    # Old states and bodies are dropped; so said by their words, whatever the number.
    _Rule("world state unavailable", StatePrunedError, _PRUNED),
    _Rule("history unavailable", StatePrunedError, _PRUNED),
    # An account that never was has a proof too: this is a storage format that proves the newest state alone.
    _Rule("account not found", StatePrunedError, _PRUNED, method="eth_getProof"),
    _Rule("block not found", BlockNotFoundError, _NO_BLOCK),
    _Rule("unknown block", BlockNotFoundError, _NO_BLOCK),
    _Rule("blockoutofrange", BlockNotFoundError, _NO_BLOCK),
    _Rule("filter not found", ChainRequestError, "Filters live in one node's memory; ask by blocks."),
    # One of Besu's two meanings of -32603: the node gave up on a question of ours, and lives.
    _Rule("timeout expired", ChainTimeoutError, "Ask for less at once.", (-32603,)),
    _Rule("processing could not be completed", ExecutionHaltedError, ""),
    _Rule("out of gas", ExecutionHaltedError, ""),
    _Rule("outofgas", ExecutionHaltedError, ""),
    _Rule("opcode", ExecutionHaltedError, ""),
    _Rule("host not authorized", ChainAccessRefusedError, "Add this host name to the node's --host-allowlist."),
    _Rule("unauthorized", ChainAccessRefusedError, _NOT_LET_IN),
)

_PERMISSIONS: tuple[tuple[str, PermissionsRefusal, str], ...] = (
    ("cannot add an existing", PermissionsRefusal.ALREADY_THERE, "Read the list, and add what is missing."),
    ("cannot remove an absent", PermissionsRefusal.ABSENT, "Read the list, and remove what is there."),
    ("cannot remove a fixed", PermissionsRefusal.FIXED, "Boot and static nodes stay; change the node's options."),
    ("contains an invalid", PermissionsRefusal.INVALID, "Give enode addresses with numbers, and whole accounts."),
    ("contains duplicate", PermissionsRefusal.DUPLICATE, "Name each once."),
    ("contains an empty list", PermissionsRefusal.EMPTY, "Name at least one."),
    ("unable to persist changes to allowlist", PermissionsRefusal.NOT_WRITTEN, _FILE),
    ("allowlist configuration file is out of sync", PermissionsRefusal.NOT_WRITTEN, _FILE),
    ("error reloading permissions file", PermissionsRefusal.NOT_WRITTEN, _FILE),
    ("allowlist has not been enabled", PermissionsRefusal.NOT_ENABLED, "Start the node with its permissions file."),
)

_BY_CODE: dict[int, tuple[type[ChainError], str]] = {
    -32007: (SenderNotAuthorizedError, _LISTED),
    -32009: (GasPriceRefusedError, _FREE),
    -32600: (ChainRequestError, "The node does not take this request."),
    -32601: (ChainRequestError, "The node does not know this method."),
    INVALID_PARAMETERS: (ChainRequestError, _UNREADABLE),
    -32603: (ChainInternalError, "It may pass; if not, read the node's log."),
    -32604: (ChainRequestError, "The method is not enabled on the node: start it with --rpc-http-api=ETH,NET,WEB3."),
    -32700: (ChainRequestError, "The node cannot read the request."),
    UNAUTHORIZED: (ChainAccessRefusedError, _NOT_LET_IN),
}
_UNKNOWN = (UnknownRefusalError, "It may pass; if not, read the node's log.")


def error_from_answer(method: str, error: Mapping[str, Any]) -> ChainError:
    """The error that a JSON-RPC error object means.

    Refusals of a contract carry their raw data only; who knows the contract decodes them.
    """
    code, text = _code(error), str(error.get("message", ""))
    lowered = text.lower()
    if code == EXECUTION_REVERTED or lowered.startswith("execution reverted"):
        return TransactionRevertedError("", data=_bytes(error.get("data")))
    for words, reason, advice in _PERMISSIONS:
        if words in lowered:
            return PermissionsRefusedError(
                _sentence(method, code, text, advice), kind=reason, method=method, rpc_code=code
            )
    rule = next((rule for rule in _BY_TEXT if rule.fits(method, code, lowered)), None)
    kind, advice = (rule.kind, rule.advice) if rule is not None else _BY_CODE.get(code, _UNKNOWN)
    return _make(kind, method, text, code, advice)


def _make(kind: type[ChainError], method: str, text: str, code: int, advice: str) -> ChainError:
    if issubclass(kind, TransactionRevertedError):
        return kind("ExecutionHalted", {"reason": text[:200]})
    return kind(_sentence(method, code, text, advice), method=method, rpc_code=code)


def _sentence(method: str, code: int, text: str, advice: str) -> str:
    return f"{method} was refused ({code} {text[:200]}). {advice}".strip()


def _code(error: Mapping[str, Any]) -> int:
    """The number, or 0 where there is none: a faulty node may write anything."""
    code = error.get("code", 0)
    return code if isinstance(code, int) else 0


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
