"""The only door to a chain's nodes: JSON-RPC in, plain Python values and named errors out.

The one module that imports web3. Every answer of a node passes `contracts.rpc.answers`, every value
`contracts.rpc.codec`, so that no caller meets a web3 type or a node's own words.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import requests
from web3 import HTTPProvider, Web3
from web3.exceptions import BadResponseFormat, Web3RPCError
from web3.middleware import ExtraDataToPOAMiddleware
from web3.types import RPCEndpoint

from consortium.kernel.secp256k1 import checksum_address
from contracts.artifacts import Artifacts, shipped
from contracts.errors import (
    BlockNotFoundError,
    ChainAccessRefusedError,
    ChainError,
    ChainInternalError,
    ChainTimeoutError,
    ChainUnavailableError,
    TransactionRevertedError,
    UnknownContractError,
    WrongChainError,
)
from contracts.events import BlockHeader, ChainEvent, ContractReference, Receipt
from contracts.interface import MAX_BATCH, Trial
from contracts.rpc import codec
from contracts.rpc.answers import error_from_answer
from contracts.rpc.log_windows import read_logs

__all__ = ["BlockHeader", "ChainEvent", "ContractReference", "Gateway", "Receipt"]


class Gateway:
    """A chain as its nodes show it.

    Parameters
    ----------
    urls : addresses of nodes of one chain
        One is asked at a time. When it does not answer the request fails as retryable and the next
        request goes to the next node: what one method returns comes from one node.
    chain_id : EIP-155 number
        Checked on every node before its first answer is used.
    timeout_seconds : float
        Longest wait for one answer.
    artifacts : Artifacts, optional
        Compiled contracts; by default those that ship with us.

    Raises
    ------
    ChainUnavailableError, ChainTimeoutError
        From every method, when no answer comes.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        chain_id: int,
        timeout_seconds: float = 10.0,
        artifacts: Artifacts | None = None,
    ) -> None:
        if not urls:
            raise ChainUnavailableError("No node is named. Set CHAIN_RPC_URL (for a site: rpc in site.toml).")
        self._nodes = [_Node(url, timeout_seconds) for url in urls]
        self._current = 0
        self._checked: set[int] = set()
        self._chain_id = chain_id
        self._artifacts = artifacts or shipped()

    @property
    def chain_id(self) -> int:
        return self._chain_id

    @property
    def artifacts(self) -> Artifacts:
        return self._artifacts

    def check_chain(self) -> None:
        """Make sure that the node is on our chain; `WrongChainError` if not."""
        found = int(self._send("eth_chainId", []), 16)
        if found != self._chain_id:
            raise WrongChainError(
                f"The node is on chain {found}, and this installation is for {self._chain_id}. "
                "Correct CHAIN_RPC_URL or CHAIN_ID.",
                found=found,
                expected=self._chain_id,
            )
        self._checked.add(self._current)

    def head(self) -> BlockHeader:
        """The newest block of the node; final, on a QBFT network."""
        return _header(self._require("eth_getBlockByNumber", ["latest", False]))

    def block(self, number: int) -> BlockHeader | None:
        """The block of that number, or None if the node does not have it."""
        try:
            found = self._ask("eth_getBlockByNumber", [hex(number), False])
        except BlockNotFoundError:
            return None
        return None if found is None else _header(found)

    def call(self, contract: ContractReference, function: str, *arguments: Any, block: int | None = None) -> Any:
        """Ask a view, by default at the newest block.

        Returns
        -------
        bytes, int, bool, str, list, dict (a struct) or, for several values, a tuple.

        Raises
        ------
        TransactionRevertedError
            If the contract refuses, decoded.
        BlockNotFoundError
            If the node does not have that block.
        UnknownContractError
            If there is no such function, or no contract at the address.
        """
        entry = codec.find_function(self._artifacts[contract.name].abi, function, len(arguments))
        data = codec.encode_call(self._artifacts[contract.name].abi, function, arguments)
        raw = self._call(contract.name, {"to": contract.address, "data": _hex(data)}, block)
        if not raw and entry["outputs"]:
            raise UnknownContractError(f"There is no {contract.name} at {contract.address}.", contract=contract.name)
        return codec.decode_answer(entry, raw)

    def logs(self, contracts: Sequence[ContractReference], from_block: int, to_block: int) -> list[ChainEvent]:
        """The contracts' events of these blocks (both ends included), in the chain's order.

        Blocks above the node's own head are left out, so what is not there yet is asked for again
        by the caller. Events that a contract's ABI does not know are not ours and left out.
        """
        return read_logs(self._ask, self._artifacts, contracts, from_block, min(to_block, self.head().number))

    def encode(self, contract: ContractReference, function: str, *arguments: Any) -> bytes:
        """The calldata of a call."""
        return codec.encode_call(self._artifacts[contract.name].abi, function, arguments)

    def deploy_data(self, name: str, *arguments: Any) -> bytes:
        """The creation code of a contract with its constructor's arguments."""
        artifact = self._artifacts[name]
        components = [part for entry in artifact.entries("constructor") for part in entry["inputs"]]
        return artifact.bytecode + codec.encode_arguments(components, arguments)

    def simulate(self, contract: ContractReference, function: str, *arguments: Any, sender: str) -> int:
        """Try a transaction on the newest state, without sending it; return the gas that it needs.

        Raises
        ------
        TransactionRevertedError
            If the contract refuses, decoded.
        """
        data = self.encode(contract, function, *arguments)
        return self._estimate(contract.name, {"from": sender, "to": contract.address, "data": _hex(data)})

    def simulate_deployment(self, name: str, *arguments: Any, sender: str) -> int:
        """Try a creation without sending it; return the gas that it needs."""
        return self._estimate(name, {"from": sender, "data": _hex(self.deploy_data(name, *arguments))})

    def try_many(self, trials: Sequence[Trial], *, sender: str) -> list[int | ChainError]:
        """Try transactions on the newest state, each by itself, in batches.

        Returns
        -------
        list
            In the order of the trials: the gas that the transaction needs (or was given, where that is
            enough), or why it was refused, decoded.
        """
        answers = self._ask_many([_trial_request(trial, sender) for trial in trials])
        return [self._tried(trial, answer) for trial, answer in zip(trials, answers, strict=True)]

    def explain(
        self, name: str, *, sender: str, to: str | None, data: bytes, block: int
    ) -> TransactionRevertedError | None:
        """Why a mined transaction was refused: play it again on the state of `block`; None if it passes there."""
        request = {"from": sender, "data": _hex(data)} | ({"to": to} if to else {})
        try:
            self._call(name, request, block)
        except TransactionRevertedError as refusal:
            return refusal
        return None

    def send_raw(self, raw: bytes) -> bytes:
        """Hand a signed transaction to the node; return its hash (32 bytes).

        Raises
        ------
        TransactionRefusedError
            One of its kinds: known already, nonce too low or too distant, sender not authorized, ...
        """
        return bytes.fromhex(self._ask("eth_sendRawTransaction", [_hex(raw)])[2:])

    def send_raw_many(self, raws: Sequence[bytes]) -> list[bytes | ChainError]:
        """Hand signed transactions to the node, in order and in one batch; at most `MAX_BATCH`.

        Returns
        -------
        list
            In the order of `raws`: the transaction's hash (32 bytes), or why it was refused. A node
            that refuses one goes on with those behind it.
        """
        if len(raws) > MAX_BATCH:
            raise ValueError(f"{len(raws)} transactions in one batch; at most {MAX_BATCH} are sent at once")
        answers = self._ask_many([("eth_sendRawTransaction", [_hex(raw)]) for raw in raws])
        return [answer if isinstance(answer, ChainError) else bytes.fromhex(answer[2:]) for answer in answers]

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """What became of a transaction, or None while it is not mined."""
        found = self._ask("eth_getTransactionReceipt", [_hex(transaction_hash)])
        return None if found is None else _receipt(found)

    def receipts(self, hashes: Sequence[bytes]) -> list[Receipt | None]:
        """What became of transactions, in the order of `hashes`; None for those that are not mined."""
        answers = self._ask_many([("eth_getTransactionReceipt", [_hex(each)]) for each in hashes])
        if (refusal := next((answer for answer in answers if isinstance(answer, ChainError)), None)) is not None:
            raise refusal
        return [None if found is None else _receipt(found) for found in answers]

    def transaction(self, transaction_hash: bytes) -> dict[str, Any] | None:
        """The transaction as the node writes it, mined or in its pool; None if it does not know it."""
        found = self._ask("eth_getTransactionByHash", [_hex(transaction_hash)])
        return None if found is None else dict(found)

    def transaction_count(self, address: str) -> int:
        """How many transactions of the address are mined: the next nonce as the chain sees it."""
        return int(self._require("eth_getTransactionCount", [address, "latest"]), 16)

    def code(self, address: str) -> bytes:
        """The runtime code at an address, empty where there is none."""
        return bytes.fromhex(self._require("eth_getCode", [address, "latest"])[2:])

    def ask(self, method: str, parameters: Sequence[Any] = ()) -> Any:
        """A question about the node and its network (eth, net, qbft, txpool), answered as JSON has it."""
        found = self._ask(method, list(parameters))
        if isinstance(found, Mapping) and (extra := found.get("proofOfAuthorityData")) is not None:
            # web3 renames QBFT's long extraData.
            return {**found, "extraData": _hex(bytes(extra))}
        return found

    def _call(self, name: str, request: dict[str, str], block: int | None) -> bytes:
        where = "latest" if block is None else hex(block)
        raw = self._decoding(name, "eth_call", [request, where])
        if raw is None:
            # Besu answers null, and no error, for a block that it does not have.
            raise BlockNotFoundError(f"The node does not have block {where}; ask again later.", block=where)
        return bytes.fromhex(raw[2:])

    def _estimate(self, name: str, request: dict[str, str]) -> int:
        return int(self._decoding(name, "eth_estimateGas", [request]), 16)

    def _decoding(self, name: str, method: str, parameters: list[Any]) -> Any:
        """Ask, and put a contract's refusal into its own words."""
        try:
            return self._ask(method, parameters)
        except TransactionRevertedError as refusal:
            raise self._in_words(name, refusal) from None

    def _in_words(self, name: str, refusal: TransactionRevertedError) -> TransactionRevertedError:
        if refusal.error:
            return refusal
        return codec.decode_refusal(self._artifacts.error(refusal.data[:4], name), refusal.data)

    def _tried(self, trial: Trial, answer: Any) -> int | ChainError:
        if isinstance(answer, TransactionRevertedError):
            return self._in_words(trial.name, answer)
        if isinstance(answer, ChainError):
            return answer
        if answer is None:
            return BlockNotFoundError("The node has no state to try a transaction on yet; ask again later.")
        return trial.gas if trial.gas is not None else int(answer, 16)

    def _require(self, method: str, parameters: list[Any]) -> Any:
        if (found := self._ask(method, parameters)) is None:
            raise BlockNotFoundError(f"The node has no answer to {method} yet; ask again later.")
        return found

    def _ask(self, method: str, parameters: list[Any]) -> Any:
        if self._current not in self._checked:
            self.check_chain()
        return self._send(method, parameters)

    def _ask_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """The answers in order, each a result or a ChainError; a fault of a batch as a whole is raised."""
        if self._current not in self._checked:
            self.check_chain()
        answers: list[Any] = []
        for first in range(0, len(requests), MAX_BATCH):
            with self._turning_away():
                answers += self._nodes[self._current].ask_many(requests[first : first + MAX_BATCH])
        return answers

    def _send(self, method: str, parameters: list[Any]) -> Any:
        with self._turning_away():
            return self._nodes[self._current].ask(method, parameters)

    @contextlib.contextmanager
    def _turning_away(self) -> Iterator[None]:
        """Turn to the next node when this one does not answer."""
        try:
            yield
        except ChainUnavailableError:
            self._checked.discard(self._current)
            self._current = (self._current + 1) % len(self._nodes)
            raise


class _Node:
    """One node's JSON-RPC address: no retries of its own, no automatic fees, QBFT's long extraData allowed."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        provider = HTTPProvider(url, request_kwargs={"timeout": timeout_seconds}, exception_retry_configuration=None)
        # Only this middleware: the standard ones fill in fees and gas on their own.
        self._provider = provider
        self._manager = Web3(provider, middleware=[ExtraDataToPOAMiddleware]).manager

    def ask(self, method: str, parameters: list[Any]) -> Any:
        with _named_faults(method):
            return self._manager.request_blocking(RPCEndpoint(method), parameters)

    def ask_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """Ask in one batch; answers come in any order, and each may be an error of its own."""
        method = requests[0][0]
        with _named_faults(method):
            # Sorted by id on the way back; ids are given in the order of the requests.
            answers: Any = self._provider.make_batch_request([(RPCEndpoint(name), values) for name, values in requests])
        if isinstance(answers, dict):
            raise error_from_answer(method, _error_of(answers) or {})
        if len(answers) != len(requests) or len({answer.get("id") for answer in answers}) != len(requests):
            raise ChainInternalError(f"The node answered another batch of {method} than it was asked. Ask again.")
        return [_result(name, answer) for (name, _), answer in zip(requests, answers, strict=True)]


@contextlib.contextmanager
def _named_faults(method: str) -> Iterator[None]:
    """Turn what web3 and the HTTP client raise into our errors."""
    try:
        yield
    except Web3RPCError as error:
        raise error_from_answer(method, _error_of(error.rpc_response or {}) or {}) from None
    except requests.Timeout as error:
        raise ChainTimeoutError(f"The node did not answer {method} in time. Is it up, and its disk well?") from error
    except requests.HTTPError as error:
        raise _http_error(method, error) from error
    except requests.RequestException as error:
        raise ChainUnavailableError("The node cannot be reached. Start it, or correct CHAIN_RPC_URL.") from error
    except (BadResponseFormat, ValueError) as error:
        raise ChainInternalError(f"The node's answer to {method} is no JSON-RPC. Is this a node's address?") from error


def _http_error(method: str, error: requests.HTTPError) -> Exception:
    status = error.response.status_code if error.response is not None else 0
    if status in (401, 403):
        return ChainAccessRefusedError(
            f"The node refused {method} (HTTP {status}). Check its token, and --host-allowlist for this host name."
        )
    if status >= 500:
        return ChainUnavailableError(f"The node failed to answer {method} (HTTP {status}). Try again.")
    return ChainInternalError(f"The node refused {method} (HTTP {status}). Is this a node's address?")


def _error_of(answer: Any) -> dict[str, Any] | None:
    error = answer.get("error")
    return error if isinstance(error, dict) else None


def _result(method: str, answer: dict[str, Any]) -> Any:
    """What one answer of a batch says: the result, or the error that it is."""
    if "error" in answer:
        return error_from_answer(method, _error_of(answer) or {})
    return answer.get("result")


def _trial_request(trial: Trial, sender: str) -> tuple[str, list[Any]]:
    request = {"from": sender, "data": _hex(trial.data)} | ({"to": trial.to} if trial.to else {})
    if trial.gas is None:
        return "eth_estimateGas", [request]
    return "eth_call", [request | {"gas": hex(trial.gas)}, "latest"]


def _hex(raw: bytes) -> str:
    return "0x" + raw.hex()


def _header(block: Any) -> BlockHeader:
    return BlockHeader(int(block["number"], 16), bytes.fromhex(block["hash"][2:]), int(block["timestamp"], 16))


def _receipt(found: Any) -> Receipt:
    succeeded = int(found["status"], 16) == 1
    created = found.get("contractAddress")
    reason = found.get("revertReason")
    return Receipt(
        transaction_hash=bytes.fromhex(found["transactionHash"][2:]),
        succeeded=succeeded,
        block_number=int(found["blockNumber"], 16),
        block_hash=bytes.fromhex(found["blockHash"][2:]),
        gas_used=int(found["gasUsed"], 16),
        # Besu fills the address in even when the creation failed.
        contract_address=checksum_address(created) if succeeded and created else None,
        revert_reason=bytes.fromhex(reason[2:]) if reason else None,
    )
