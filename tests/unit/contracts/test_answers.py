"""Besu's refusals, word for word as recorded, and anvil's: what each means to us, and whether it may be tried again."""

import pytest

from contracts import errors
from contracts.errors import PermissionsRefusal, PermissionsRefusedError
from contracts.rpc.answers import error_from_answer
from tests.besu.recordings import all_rows

# Every number and text of the recordings, figures and reasons in brackets left out.
MEANING: dict[tuple[int, str], type[errors.ChainError]] = {
    (3, "Execution reverted"): errors.TransactionRevertedError,
    (-32000, "Transaction processing could not be completed due to an exception"): errors.ExecutionHaltedError,
    (-32000, "Known transaction"): errors.KnownTransactionError,
    (-32001, "Nonce too low"): errors.NonceTooLowError,
    (-32000, "Transaction nonce is too distant from current sender nonce"): errors.NonceTooDistantError,
    (-32000, "Replacement transaction underpriced"): errors.ReplacementUnderpricedError,
    (-32000, "Max priority fee per gas exceeds max fee per gas"): errors.TransactionRefusedError,
    (-32003, "Intrinsic gas exceeds gas limit"): errors.GasLimitError,
    (-32005, "Transaction gas limit exceeds block gas limit"): errors.GasLimitError,
    (-32000, "Wrong chainId"): errors.WrongChainError,
    (-32004, "Upfront cost exceeds account balance"): errors.InsufficientFundsError,
    (-32009, "Gas price below configured minimum gas price"): errors.GasPriceRefusedError,
    (-32007, "Sender account not authorized to send transactions"): errors.SenderNotAuthorizedError,
    (-32005, "Requested range exceeds maximum RPC range limit"): errors.RangeTooLargeError,
    (-32005, "Number of requests exceeds max batch size"): errors.BatchTooLargeError,
    (-32000, "Block not found"): errors.BlockNotFoundError,
    (-39001, "Unknown block"): errors.BlockNotFoundError,
    (-32000, "Filter not found"): errors.ChainRequestError,
    (-32600, "Invalid Request"): errors.ChainRequestError,
    (-32601, "Method not found"): errors.ChainRequestError,
    (-32602, "Invalid params"): errors.ChainRequestError,
    (-32602, "Invalid account params"): errors.ChainRequestError,
    (-32602, "Invalid block hash params"): errors.ChainRequestError,
    (-32602, "Invalid block number params"): errors.ChainRequestError,
    (-32602, "Invalid block param"): errors.ChainRequestError,
    (-32602, "Invalid call params"): errors.ChainRequestError,
    (-32602, "Invalid filter params"): errors.ChainRequestError,
    (-32602, "Invalid number of params"): errors.ChainRequestError,
    (-32602, "Invalid return complete transaction params"): errors.ChainRequestError,
    (-32602, "Invalid transaction hash params"): errors.ChainRequestError,
    (-32602, "Invalid transaction type"): errors.ChainRequestError,
    (-32603, "Internal error"): errors.ChainInternalError,
    (-32604, "Method not enabled"): errors.ChainRequestError,
    (-32604, "The method eth_sendTransaction is not supported."): errors.ChainRequestError,
    (-32700, "Parse error"): errors.ChainRequestError,
    (-40100, "Unauthorized"): errors.ChainAccessRefusedError,
}
PERMISSIONS: dict[str, PermissionsRefusal] = {
    "Account allowlist has not been enabled": PermissionsRefusal.NOT_ENABLED,
    "Node allowlist has not been enabled": PermissionsRefusal.NOT_ENABLED,
    "Node/Account allowlist has not been enabled": PermissionsRefusal.NOT_ENABLED,
    "Cannot add an existing account to allowlist": PermissionsRefusal.ALREADY_THERE,
    "Cannot add an existing node to allowlist": PermissionsRefusal.ALREADY_THERE,
    "Cannot remove an absent account from allowlist": PermissionsRefusal.ABSENT,
    "Cannot remove an absent node from allowlist": PermissionsRefusal.ABSENT,
    "Cannot remove a fixed node (bootnode or static node) from allowlist": PermissionsRefusal.FIXED,
    "Request contains an empty list of accounts": PermissionsRefusal.EMPTY,
    "Request contains an empty list of nodes": PermissionsRefusal.EMPTY,
    "Request contains an invalid account": PermissionsRefusal.INVALID,
    "Request contains an invalid node": PermissionsRefusal.INVALID,
    "Request contains duplicate accounts": PermissionsRefusal.DUPLICATE,
    "Request contains duplicate nodes": PermissionsRefusal.DUPLICATE,
}
# Not in the recordings: from Besu's source (RpcErrorType.java as of 26.9.0).
WRITTEN: list[tuple[int, str, str, type[errors.ChainError]]] = [
    (-32000, "World state unavailable", "eth_getProof", errors.StatePrunedError),
    (-32000, "World state unavailable", "eth_call", errors.StatePrunedError),
    (-32000, "Account not found", "eth_getProof", errors.StatePrunedError),
    (4444, "Pruned history unavailable", "eth_getBlockReceipts", errors.StatePrunedError),
    (-32000, "Parent block not found", "eth_call", errors.BlockNotFoundError),
    (
        -32002,
        "Transaction pool not enabled. (Either txpool explicitly disabled, or node not yet in sync).",
        "eth_sendRawTransaction",
        errors.NodeSyncingError,
    ),
    (-32008, "Initial sync is still in progress", "eth_sendRawTransaction", errors.NodeSyncingError),
    (-32002, "Invalid signature", "eth_sendRawTransaction", errors.TransactionRefusedError),
    (-32005, "Transaction gas limit cap exceeded", "eth_sendRawTransaction", errors.GasLimitError),
    (-32006, "Nonce too high", "eth_sendRawTransaction", errors.NonceTooDistantError),
    (
        -32000,
        "An invalid transaction with a lower nonce exists",
        "eth_sendRawTransaction",
        errors.NonceTooDistantError,
    ),
    (-32000, "ChainId is required", "eth_sendRawTransaction", errors.WrongChainError),
    (-32000, "ChainId not supported", "eth_sendRawTransaction", errors.WrongChainError),
    (-32000, "Transaction fee cap exceeded", "eth_sendRawTransaction", errors.TransactionRefusedError),
    (
        -32000,
        "Plugin has marked the transaction as not acceptable by the transaction pool",
        "eth_sendRawTransaction",
        errors.TransactionRefusedError,
    ),
    (-32603, "Timeout expired", "eth_getLogs", errors.ChainTimeoutError),
]
NOT_WRITTEN = [
    "Unable to persist changes to allowlist configuration file. Changes reverted",
    "The permissioning allowlist configuration file is out of sync.  "
    "The changes have been applied, but not persisted to disk",
    "Error reloading permissions file. Please use perm_getAccountsAllowlist and perm_getNodesAllowlist to review the "
    "current state of the allowlists",
]
# The same number and text, told apart by what was asked.
ABOVE_HEAD = (
    "logs: to a block above the head",
    "logs: from a block above the head to latest",
    "logs: both above the head",
    "logs: from above to",
)
# "Internal error" says nothing, so what it means stands here by name: bytes that no node takes, and a tracer.
INTERNAL = {
    "send: one bit of the signature flipped",
    "send: initcode of 49153 bytes",
    "trace, prestate tracer",
}
MAY_BE_TRIED_AGAIN = {
    errors.AnswerUnreadableError,
    errors.BatchTooLargeError,
    errors.BlockNotFoundError,
    errors.ChainBehindError,
    errors.ChainInternalError,
    errors.ChainTimeoutError,
    errors.ChainUnavailableError,
    errors.NodeSyncingError,
    errors.NonceTooDistantError,
    errors.RangeTooLargeError,
    errors.ReplacementUnderpricedError,
    errors.TokenExpiredError,
    errors.UnknownRefusalError,
    errors.WindowAboveHeadError,
}

# (label, method, error object), every one of the four files.
RECORDED = [(row.label, method, error) for row in all_rows() for method, error in row.errors]


def _meaning(label, error):
    if label in ABOVE_HEAD:
        return errors.WindowAboveHeadError
    if error["message"] in PERMISSIONS:
        return PermissionsRefusedError
    text = error["message"].partition(" (")[0].partition(" Use ")[0]
    return MEANING[error["code"], text]


def test_every_recorded_refusal_means_exactly_one_error():
    assert len(RECORDED) == 144
    for label, method, error in RECORDED:
        found = error_from_answer(method, error)
        assert type(found) is _meaning(label, error), label


def test_no_recorded_refusal_is_unknown_and_internal_errors_are_listed_by_name():
    found = {label: error_from_answer(method, error) for label, method, error in RECORDED}
    assert {label for label, error in found.items() if type(error) is errors.ChainInternalError} == INTERNAL
    assert [label for label, error in found.items() if isinstance(error, errors.UnknownRefusalError)] == []


def test_every_line_of_the_table_was_recorded():
    texts = {(error["code"], error["message"].partition(" (")[0].partition(" Use ")[0]) for _, _, error in RECORDED}
    assert set(MEANING) <= texts
    assert set(PERMISSIONS) <= {error["message"] for _, _, error in RECORDED}


@pytest.mark.parametrize("text", sorted(PERMISSIONS))
def test_a_refused_change_of_permissions_says_which_kind_it_is(text):
    error = error_from_answer("perm_addNodesToAllowlist", {"code": -32000, "message": text})
    assert isinstance(error, PermissionsRefusedError)
    assert error.kind is PERMISSIONS[text]
    assert not error.retryable


@pytest.mark.parametrize(("code", "text", "method", "kind"), WRITTEN)
def test_what_only_besus_source_tells_means_one_error_too(code, text, method, kind):
    assert type(error_from_answer(method, {"code": code, "message": text})) is kind


def test_a_pruned_state_is_told_with_its_remedy_and_not_asked_of_the_same_node_again():
    error = error_from_answer("eth_getProof", {"code": -32000, "message": "World state unavailable"})
    assert isinstance(error, errors.BlockNotFoundError)
    assert (error.retryable, "ask one that keeps old states" in error.message) == (False, True)


@pytest.mark.parametrize("text", NOT_WRITTEN)
def test_a_permissions_file_that_the_node_cannot_write_is_a_kind_of_its_own(text):
    error = error_from_answer("perm_addNodesToAllowlist", {"code": -32000, "message": text})
    assert isinstance(error, PermissionsRefusedError)
    assert (error.kind, "permissions_config.toml" in error.message) == (PermissionsRefusal.NOT_WRITTEN, True)


def test_one_number_has_three_meanings():
    found = {_meaning(label, error) for label, _, error in RECORDED if error["code"] == -32005}
    assert found == {errors.GasLimitError, errors.RangeTooLargeError, errors.BatchTooLargeError}


def test_one_text_has_two_meanings_and_the_number_tells():
    missing = error_from_answer("eth_call", {"code": -32602, "message": "Invalid block param (block not found)"})
    future = error_from_answer("eth_estimateGas", {"code": -32000, "message": "Block not found"})
    assert (missing.retryable, future.retryable) == (False, True)


# anvil's own numbers and words, from a running one (`tests/chain/test_anvils_answers.py` asks it again).
ANVIL = [
    (-32003, "nonce too low", errors.NonceTooLowError),
    (-32003, "transaction already imported", errors.KnownTransactionError),
    (-32003, "replacement transaction underpriced", errors.ReplacementUnderpricedError),
    (-32003, "Insufficient funds for gas * price + value", errors.InsufficientFundsError),
    (-32003, "invalid chain id for signer", errors.WrongChainError),
    (-32003, "max priority fee per gas higher than max fee per gas", errors.TransactionRefusedError),
    (-32003, "max initcode size exceeded", errors.CreationTooLargeError),
    (-32000, "intrinsic gas too low", errors.GasLimitError),
    (-32000, "intrinsic gas too high -- tx.gas_limit > env.block.gas_limit", errors.GasLimitError),
    (-32000, "intrinsic gas too high -- CallGasCostMoreThanGasLimit", errors.GasLimitError),
    (-32000, "unknown block", errors.BlockNotFoundError),
    (-32000, "filter not found", errors.ChainRequestError),
    (-32602, "BlockOutOfRangeError: block height is 2 but requested was 65535", errors.BlockNotFoundError),
    (-32602, "Failed to decode transaction", errors.ChainRequestError),
    (-32602, "No Signer available", errors.ChainRequestError),
    (-32603, "EVM error InvalidFEOpcode", errors.ExecutionHaltedError),
    (-32603, "EVM error OutOfGas", errors.ExecutionHaltedError),
    (3, "execution reverted", errors.TransactionRevertedError),
]


@pytest.mark.parametrize(("code", "text", "kind"), ANVIL)
def test_anvils_words_mean_the_same_errors(code, text, kind):
    assert type(error_from_answer("eth_sendRawTransaction", {"code": code, "message": text})) is kind


def test_only_what_may_pass_is_retryable():
    family = {kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.ChainError)}
    assert {kind for kind in family if kind.retryable} == MAY_BE_TRIED_AGAIN


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"code": 3},
        {"code": 3, "message": "x", "data": "0xzz"},
        {"code": 3, "data": 7},
        {"code": "a text", "message": None},
        {"code": None, "message": ["a list"]},
        {"code": -1, "message": "never heard of"},
    ],
)
def test_an_answer_without_the_expected_parts_is_an_error_all_the_same(answer):
    error = error_from_answer("eth_call", answer)
    assert isinstance(error, errors.ChainError)
    if answer.get("code") == 3:
        assert isinstance(error, errors.TransactionRevertedError)
        assert error.data == b""
    else:
        assert isinstance(error, errors.UnknownRefusalError)


def test_a_long_text_of_a_node_is_cut():
    error = error_from_answer("eth_call", {"code": -1, "message": "x" * 10_000})
    assert len(error.message) < 500
