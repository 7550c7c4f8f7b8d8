"""What can go wrong between us and the chain; no Django, because the agent meets the same errors.

Nodes answer in their own words and numbers (Besu and anvil differ, and -32000 has about twenty
meanings); `contracts.rpc.answers` turns these into this family, and nothing else reads a node's text.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from consortium.kernel.errors import ConsiliumError, InvalidInputError


class ChainError(ConsiliumError):
    """Base of the family: a node refused, failed, or could not be asked."""

    code = "chain_error"
    http_status = 502


class ChainUnavailableError(ChainError):
    """No node answers; nothing was changed by us, and the same request may be sent again."""

    code = "chain_unavailable"
    http_status = 503
    retryable = True


class ChainTimeoutError(ChainUnavailableError):
    """The node did not answer in time: what was sent may have arrived or not."""

    code = "chain_timeout"
    http_status = 504


class ChainInternalError(ChainError):
    """The node says "internal error" or an error that is not known to us; it may pass."""

    code = "chain_internal"
    retryable = True


class UnknownRefusalError(ChainInternalError):
    """A number and text that are not known to us; it may pass, and belongs into `contracts.rpc.answers`."""

    code = "chain_unknown_refusal"


class AnswerUnreadableError(ChainInternalError):
    """What came back is no JSON-RPC answer to the question, or not all of it; nothing of it is used."""

    code = "chain_answer_unreadable"


class ChainRequestError(ChainError):
    """The node does not understand the request: method missing, not enabled, or malformed parameters."""

    code = "chain_request"


class ChainAccessRefusedError(ChainError):
    """The node does not let us in: token, permission or host name."""

    code = "chain_access_refused"


class TokenExpiredError(ChainAccessRefusedError):
    """The file with our token holds one that has expired; whatever writes it is late, and we read it again."""

    code = "chain_token_expired"
    retryable = True


class WrongChainError(ChainError):
    """The node is on another chain than the one we are configured for."""

    code = "wrong_chain"


class GenesisMismatchError(ChainError):
    """A genesis file is not that of the chain in use."""

    code = "genesis_mismatch"
    http_status = 422


class UnknownSchemaError(ChainError):
    """A contract's events have a form that this installation cannot read, or has no handler for."""

    code = "unknown_schema"


class ChainRewoundError(ChainError):
    """A chain that is final came back shorter, or with other blocks: a person has to look."""

    code = "chain_rewound"


class ChainBehindError(ChainError):
    """The node's head is below a block that was read before: it lags, and is not asked until it has caught up."""

    code = "chain_behind"
    http_status = 503
    retryable = True


class NodeSyncingError(ChainBehindError):
    """The node still reads the chain from its peers and takes no transactions yet."""

    code = "node_syncing"


class BlockNotFoundError(ChainError):
    """The node does not have the block yet, or not any more."""

    code = "block_not_found"
    retryable = True


class StatePrunedError(BlockNotFoundError):
    """The node has dropped the state or the receipts of that old block: it will not have them again, another may."""

    code = "state_pruned"
    retryable = False


class WindowAboveHeadError(BlockNotFoundError):
    """Events were asked for above the node's own head, or from a higher block to a lower one."""

    code = "window_above_head"


class BatchTooLargeError(ChainError):
    """More requests were put into one batch than the node takes at once; send fewer. None was looked at."""

    code = "batch_too_large"
    retryable = True


class RangeTooLargeError(ChainError):
    """More blocks of events were asked for than the node gives at once; ask for fewer."""

    code = "range_too_large"
    retryable = True


class TransactionRefusedError(ChainError):
    """Base of the refusals of a raw transaction."""

    code = "transaction_refused"


class KnownTransactionError(TransactionRefusedError):
    """The node has these very bytes already: a success in all but name."""

    code = "known_transaction"


class NonceTooLowError(TransactionRefusedError):
    """The nonce is used up: by these bytes (look for the receipt) or by others."""

    code = "nonce_too_low"


class NonceTooDistantError(TransactionRefusedError):
    """The nonce is too far ahead of the last mined one; send no more until some are mined."""

    code = "nonce_too_distant"
    retryable = True


class ReplacementUnderpricedError(TransactionRefusedError):
    """Another transaction holds this nonce in the pool and is not replaced."""

    code = "replacement_underpriced"
    retryable = True


class SenderNotAuthorizedError(TransactionRefusedError):
    """The account is not on the node's allow list; an operator has to put it there."""

    code = "sender_not_authorized"


class GasPriceRefusedError(TransactionRefusedError):
    """The node wants a price for gas; on our networks it is free (--min-gas-price=0 on every node)."""

    code = "gas_price_refused"


class InsufficientFundsError(TransactionRefusedError):
    """A price or value was given, and the account has no balance; ours never has."""

    code = "insufficient_funds"


class GasLimitError(TransactionRefusedError):
    """The transaction's gas limit is below what it costs at least, or above a block's."""

    code = "gas_limit"


class TransactionTooLargeError(TransactionRefusedError):
    """The transaction has more bytes than a node takes (128 KiB from Besu 26.8.1 on)."""

    code = "transaction_too_large"


class CreationTooLargeError(TransactionRefusedError):
    """The creation code is longer than a chain takes (EIP-3860: 49,152 bytes)."""

    code = "creation_too_large"


class PermissionsRefusal(StrEnum):
    """Why a node did not change its allow list; nothing of the request was done."""

    ALREADY_THERE = "already there"
    ABSENT = "absent"
    FIXED = "fixed"  # a boot or static node of that node
    INVALID = "invalid"  # malformed; for a node, a host name where an address is wanted is that too
    DUPLICATE = "duplicate"
    EMPTY = "empty"
    NOT_ENABLED = "not enabled"
    NOT_WRITTEN = "not written"  # the permissions file cannot be written, or is not what the node wrote last


class PermissionsRefusedError(ChainError):
    """The node refused a change of its allow lists (`perm_*`); changes are all or nothing, and not idempotent."""

    code = "permissions_refused"
    http_status = 409

    def __init__(self, message: str, *, kind: PermissionsRefusal, **fields: Any) -> None:
        self.kind = kind
        super().__init__(message, kind=str(kind), **fields)


class NeverMinedError(ChainError):
    """Other bytes took the nonces of a call again and again; it has not happened."""

    code = "never_mined"


class TransactionRevertedError(ChainError):
    """A contract refused the call; `error` and `arguments` are its own words, decoded.

    `error` is the name of the contract's error, "Error" for a plain reason, "Panic" for a failed
    check of the compiler, "" where the data cannot be read; `data` is what the node gave.
    """

    code = "transaction_reverted"
    http_status = 409

    def __init__(self, error: str, arguments: Mapping[str, Any] | None = None, *, data: bytes = b"") -> None:
        self.error = error
        self.arguments = dict(arguments or {})
        self.data = data
        super().__init__(f"The contract refused: {self.sentence()}.", error=error)

    def sentence(self) -> str:
        """The refusal as one would write it in Solidity, values readable."""
        if not self.error:
            return f"without a readable reason (0x{self.data[:36].hex()})"
        return f"{self.error}({', '.join(f'{name}={_show(value)}' for name, value in self.arguments.items())})"


class ExecutionHaltedError(TransactionRevertedError):
    """The call ran out of gas or into code that does not exist."""

    code = "execution_halted"


class UnknownContractError(InvalidInputError):
    """There is no artifact, function or deployment of this name."""

    code = "unknown_contract"


class ContractArgumentsError(InvalidInputError):
    """The arguments do not fit the function's types."""

    code = "contract_arguments"


def _show(value: Any) -> str:
    return f"0x{value.hex()}" if isinstance(value, bytes) else str(value)
