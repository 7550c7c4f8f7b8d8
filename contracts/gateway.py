"""The only door to a chain's nodes: JSON-RPC in, plain Python values and named errors out.

The one module that imports web3. Every answer of a node passes `contracts.rpc.answers`, every value
`contracts.rpc.codec`, so that no caller meets a web3 type or a node's own words.
"""

import contextlib
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from web3 import Web3
from web3.exceptions import BadResponseFormat, Web3RPCError
from web3.middleware import ExtraDataToPOAMiddleware
from web3.providers import JSONBaseProvider
from web3.types import RPCEndpoint, RPCResponse

from contracts.artifacts import Artifacts, shipped
from contracts.errors import (
    AnswerUnreadableError,
    BlockNotFoundError,
    ChainAccessRefusedError,
    ChainError,
    ChainUnavailableError,
    NodeSyncingError,
    StatePrunedError,
    TransactionRevertedError,
    UnknownContractError,
    WrongChainError,
)
from contracts.events import BlockHeader, ChainEvent, ContractReference, Receipt
from contracts.interface import MAX_BATCH, MAX_BATCH_LETTERS, Trial
from contracts.rpc import codec
from contracts.rpc.answers import error_from_answer
from contracts.rpc.forms import as_hex, data_of, header_of, number_of, receipt_of, require_same, shaped, unreadable
from contracts.rpc.http import CONNECT_SECONDS, NodeAddress, Timeouts
from contracts.rpc.log_windows import WindowSize, read_logs
from contracts.rpc.nodes import NetworkState, NodeChoice, state_of
from contracts.rpc.tokens import TokenSource

__all__ = ["BlockHeader", "ChainEvent", "ContractReference", "Gateway", "Receipt"]

# A look at another node, while somebody waits for an answer of the best one.
LOOK_WAIT_SECONDS = 2.0


class Gateway:
    """A chain as its nodes show it.

    Parameters
    ----------
    urls : addresses of nodes of one chain
        One is asked at a time, and what one method returns comes from one node. When it does not
        answer, the request fails as retryable, and the next one goes to the highest fresh node.
    chain_id : EIP-155 number
        Checked on every node before its first answer is used.
    timeout_seconds : float
        Longest wait for one whole answer; a connection is waited for no longer than three seconds.
    artifacts : Artifacts, optional
        Compiled contracts; by default those that ship with us.
    tokens : TokenSource, or one for each address, optional
        Where the token comes from that the nodes ask for; by default none is sent.

    Raises
    ------
    ChainUnavailableError, ChainTimeoutError
        From every method, when no answer comes.
    ChainBehindError
        From every method, while only nodes answer that have fewer blocks than were shown before.
    ChainAccessRefusedError
        From every method, when the token or this host is refused.
    """

    def __init__(
        self,
        urls: Sequence[str],
        *,
        chain_id: int,
        timeout_seconds: float = 10.0,
        artifacts: Artifacts | None = None,
        tokens: TokenSource | Sequence[TokenSource] | None = None,
    ) -> None:
        if not urls:
            raise ChainUnavailableError("No node is named. Set CHAIN_RPC_URL (for a site: rpc in site.toml).")
        timeouts = Timeouts(min(CONNECT_SECONDS, timeout_seconds), timeout_seconds)
        of_each = list(zip(urls, tokens if isinstance(tokens, Sequence) else [tokens] * len(urls), strict=True))
        self._nodes = [_Node(NodeAddress(url, timeouts=timeouts, tokens=own)) for url, own in of_each]
        self._looks = [_Node(NodeAddress(url, timeouts=_look_timeouts(timeouts), tokens=own)) for url, own in of_each]
        self._choice = NodeChoice([node.name for node in self._nodes], self._look)
        self._held = threading.local()
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
        with self.one_node() as index:
            self._check(index, self._nodes[index])

    @property
    def node_count(self) -> int:
        """How many nodes are named; `one_node` takes their places from 0."""
        return len(self._nodes)

    @contextlib.contextmanager
    def one_node(self, place: int | None = None) -> Iterator[int]:
        """Ask one node for all that is asked inside, by default the one in use; a fault of it ends the whole, and it
        is left.
        """
        if (held := getattr(self._held, "index", None)) is not None:
            yield held
            return
        index = self._held.index = self._choice.current() if place is None else place
        try:
            if index not in self._checked:
                self._check(index, self._nodes[index])
            yield index
        except (ChainUnavailableError, ChainAccessRefusedError, AnswerUnreadableError, WrongChainError):
            self._checked.discard(index)
            self._choice.failed(index)
            raise
        finally:
            self._held.index = None

    def pinned(self) -> contextlib.AbstractContextManager[None]:
        """Keep the node in use inside, unless it fails: for a sender whose transactions are under way."""
        return self._choice.pinned()

    def node_heads(self) -> dict[str, BlockHeader | None]:
        """Each node's head by its host and port, None for those that do not answer; all are asked now."""
        return self._choice.sights()

    def network_state(self, *, now: float) -> NetworkState:
        """Whether the network makes blocks, stands still, or does not answer, at this Unix time."""
        heads = self.node_heads().values()
        return state_of({i: head for i, head in enumerate(heads) if head is not None}, now=now)

    def head(self) -> BlockHeader:
        """The newest block of the node; final, on a QBFT network."""
        with self.one_node():
            header = header_of(self._require("eth_getBlockByNumber", ["latest", False]))
        self._choice.showed(header.number)
        return header

    def block(self, number: int) -> BlockHeader | None:
        """The block of that number, or None if the node does not have it."""
        try:
            found = self._ask("eth_getBlockByNumber", [hex(number), False])
        except BlockNotFoundError:
            return None
        if found is None:
            return None
        with shaped("eth_getBlockByNumber"):
            return require_same(header_of(found), number=number)

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
        raw = self._call(contract.name, {"to": contract.address, "data": as_hex(data)}, block)
        if not raw and entry["outputs"]:
            raise UnknownContractError(f"There is no {contract.name} at {contract.address}.", contract=contract.name)
        return codec.decode_answer(entry, raw)

    def logs(self, contracts: Sequence[ContractReference], from_block: int, to_block: int) -> list[ChainEvent]:
        """The contracts' events of these blocks (both ends included), in the chain's order.

        Blocks above the node's own head are left out, so what is not there yet is asked for again
        by the caller. Events that a contract's ABI does not know are not ours and left out.
        """
        with self.one_node() as index, shaped("eth_getLogs"):
            last = min(to_block, self.head().number)
            return read_logs(self._ask, self._artifacts, contracts, from_block, last, self._nodes[index].window)

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
        return self._estimate(contract.name, {"from": sender, "to": contract.address, "data": as_hex(data)})

    def simulate_deployment(self, name: str, *arguments: Any, sender: str) -> int:
        """Try a creation without sending it; return the gas that it needs."""
        return self._estimate(name, {"from": sender, "data": as_hex(self.deploy_data(name, *arguments))})

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
        request = {"from": sender, "data": as_hex(data)} | ({"to": to} if to else {})
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
        return data_of(self._ask("eth_sendRawTransaction", [as_hex(raw)]), "eth_sendRawTransaction")

    def send_raw_many(self, raws: Sequence[bytes]) -> list[bytes | ChainError]:
        """Hand signed transactions to the node, in order, in as few requests as it takes; at most `MAX_BATCH`.

        Returns
        -------
        list
            In the order of `raws`: the transaction's hash (32 bytes), or why it was refused. A node
            that refuses one goes on with those behind it.
        """
        if len(raws) > MAX_BATCH:
            raise ValueError(f"{len(raws)} transactions in one batch; at most {MAX_BATCH} are sent at once")
        answers = self._ask_many([("eth_sendRawTransaction", [as_hex(raw)]) for raw in raws])
        return [
            answer if isinstance(answer, ChainError) else data_of(answer, "eth_sendRawTransaction")
            for answer in answers
        ]

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """What became of a transaction, or None while it is not mined."""
        return self._receipt(self._ask("eth_getTransactionReceipt", [as_hex(transaction_hash)]), transaction_hash)

    def receipts(self, hashes: Sequence[bytes]) -> list[Receipt | None]:
        """What became of transactions, in the order of `hashes`; None for those that are not mined."""
        answers = self._ask_many([("eth_getTransactionReceipt", [as_hex(each)]) for each in hashes])
        if (refusal := next((answer for answer in answers if isinstance(answer, ChainError)), None)) is not None:
            raise refusal
        return [self._receipt(found, each) for found, each in zip(answers, hashes, strict=True)]

    def transaction(self, transaction_hash: bytes) -> dict[str, Any] | None:
        """The transaction as the node writes it, mined or in its pool; None if it does not know it."""
        found = self._ask("eth_getTransactionByHash", [as_hex(transaction_hash)])
        with shaped("eth_getTransactionByHash"):
            return None if found is None else dict(found)

    def transaction_count(self, address: str) -> int:
        """How many transactions of the address are mined: the next nonce as the chain sees it."""
        return number_of(self._require("eth_getTransactionCount", [address, "latest"]), "eth_getTransactionCount")

    def code(self, address: str) -> bytes:
        """The runtime code at an address, empty where there is none."""
        return data_of(self._require("eth_getCode", [address, "latest"]), "eth_getCode")

    def ask(self, method: str, parameters: Sequence[Any] = ()) -> Any:
        """A question about the node and its network (eth, net, qbft, txpool), answered as JSON has it."""
        found = self._ask(method, list(parameters))
        if isinstance(found, Mapping) and (extra := found.get("proofOfAuthorityData")) is not None:
            # web3 renames QBFT's long extraData.
            return {**found, "extraData": as_hex(bytes(extra))}
        return found

    def _call(self, name: str, request: dict[str, str], block: int | None) -> bytes:
        where = "latest" if block is None else hex(block)
        raw = self._decoding(name, "eth_call", [request, where])
        if raw is None:
            # Besu answers null, and no error, for a block that it does not have.
            raise BlockNotFoundError(f"The node does not have block {where}; ask again later.", block=where)
        return data_of(raw, "eth_call")

    def _estimate(self, name: str, request: dict[str, str]) -> int:
        return number_of(self._decoding(name, "eth_estimateGas", [request]), "eth_estimateGas")

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
        if isinstance(answer, StatePrunedError):
            # The newest state is asked for: what lacks that one has not pruned it, it is not there yet.
            return NodeSyncingError(answer.message)
        if isinstance(answer, ChainError):
            return answer
        if answer is None:
            return BlockNotFoundError("The node has no state to try a transaction on yet; ask again later.")
        return trial.gas if trial.gas is not None else number_of(answer, "eth_estimateGas")

    def _receipt(self, found: Any, transaction_hash: bytes) -> Receipt | None:
        if found is None:
            return None
        with shaped("eth_getTransactionReceipt"):
            receipt = require_same(receipt_of(found), transaction_hash=transaction_hash)
        self._choice.showed(receipt.block_number)
        return receipt

    def _require(self, method: str, parameters: list[Any]) -> Any:
        if (found := self._ask(method, parameters)) is None:
            raise BlockNotFoundError(f"The node has no answer to {method} yet; ask again later.")
        return found

    def _ask(self, method: str, parameters: list[Any]) -> Any:
        with self.one_node() as index:
            return self._nodes[index].ask(method, parameters)

    def _check(self, index: int, node: "_Node") -> None:
        found = number_of(node.ask("eth_chainId", []), "eth_chainId")
        if found != self._chain_id:
            raise WrongChainError(
                f"The node is on chain {found}, and this installation is for {self._chain_id}. "
                "Correct CHAIN_RPC_URL or CHAIN_ID.",
                found=found,
                expected=self._chain_id,
            )
        self._checked.add(index)

    def _look(self, index: int) -> BlockHeader:
        """A node's head, asked with little patience: others wait for the answer."""
        if index not in self._checked:
            self._check(index, self._looks[index])
        return header_of(self._looks[index].ask("eth_getBlockByNumber", ["latest", False]))

    def _ask_many(self, requests: Sequence[tuple[str, list[Any]]]) -> list[Any]:
        """The answers in order, all of one node, each a result or a ChainError; a fault of a whole batch is raised."""
        answers: list[Any] = []
        with self.one_node() as index:
            for part in _parts(requests):
                answers += self._nodes[index].ask_many(part)
        return answers


class _Node:
    """One node's JSON-RPC: no retries of its own, no automatic fees, QBFT's long extraData allowed."""

    def __init__(self, address: NodeAddress) -> None:
        self.name = address.name
        self.window = WindowSize()
        self._provider = _Provider(address)
        # Only this middleware: the standard ones fill in fees and gas on their own.
        self._manager = Web3(self._provider, middleware=[ExtraDataToPOAMiddleware]).manager

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
            raise AnswerUnreadableError(f"The node answered another batch of {method} than it was asked. Ask again.")
        return [_result(name, answer) for (name, _), answer in zip(requests, answers, strict=True)]


@contextlib.contextmanager
def _named_faults(method: str) -> Iterator[None]:
    """Turn what web3 raises into our errors; its formatters take a result to have its form."""
    try:
        yield
    except Web3RPCError as error:
        raise error_from_answer(method, _error_of(error.rpc_response or {}) or {}) from None
    except (BadResponseFormat, ValueError, TypeError, LookupError, AttributeError) as error:
        raise unreadable(method) from error


class _Provider(JSONBaseProvider):
    """web3's way to a node, over a connection of ours."""

    def __init__(self, address: NodeAddress) -> None:
        super().__init__()
        self._address = address

    def make_request(self, method: RPCEndpoint, params: Any) -> RPCResponse:
        request = self.encode_rpc_request(method, params)
        response: Any = self._decoded(self._address.post(request, method), method)
        # An answer without a number is one to a request that could not be read.
        if not isinstance(response, dict) or response.get("id") not in (json.loads(request)["id"], None):
            raise unreadable(method)
        if "result" not in response and not isinstance(response.get("error"), dict):
            raise unreadable(method)
        return cast("RPCResponse", response)

    def make_batch_request(self, requests: list[tuple[RPCEndpoint, Any]]) -> list[RPCResponse] | RPCResponse:
        """Ask in one request; answers are sorted by their numbers, which follow the order of the requests."""
        method = requests[0][0]
        response: Any = self._decoded(self._address.post(self.encode_batch_rpc_request(requests), method), method)
        if isinstance(response, list) and all(isinstance(item, dict) for item in response):
            with shaped(method):
                return sorted(response, key=lambda item: -1 if item.get("id") is None else int(item["id"]))
        if not isinstance(response, dict):
            raise unreadable(method)
        return cast("RPCResponse", response)

    def _decoded(self, raw: bytes, method: str) -> Any:
        try:
            return self.decode_rpc_response(raw)
        except ValueError as error:
            raise unreadable(method) from error


def _look_timeouts(timeouts: Timeouts) -> Timeouts:
    return Timeouts(min(timeouts.connect, LOOK_WAIT_SECONDS), min(timeouts.answer, LOOK_WAIT_SECONDS))


def _error_of(answer: Any) -> dict[str, Any] | None:
    error = answer.get("error")
    return error if isinstance(error, dict) else None


def _result(method: str, answer: dict[str, Any]) -> Any:
    """What one answer of a batch says: the result, or the error that it is."""
    if "error" in answer:
        return error_from_answer(method, _error_of(answer) or {})
    return answer.get("result")


def _parts(requests: Sequence[tuple[str, list[Any]]]) -> Iterator[Sequence[tuple[str, list[Any]]]]:
    """The requests in pieces that a node takes at once: so many of them, and so many letters of data."""
    first, letters = 0, 0
    for place, (_, values) in enumerate(requests):
        added = sum(len(value.get("data", "")) if isinstance(value, dict) else len(str(value)) for value in values)
        if place > first and (place - first == MAX_BATCH or letters + added > MAX_BATCH_LETTERS):
            yield requests[first:place]
            first, letters = place, 0
        letters += added
    if requests:
        yield requests[first:]


def _trial_request(trial: Trial, sender: str) -> tuple[str, list[Any]]:
    request = {"from": sender, "data": as_hex(trial.data)} | ({"to": trial.to} if trial.to else {})
    if trial.gas is None:
        return "eth_estimateGas", [request]
    return "eth_call", [request | {"gas": hex(trial.gas)}, "latest"]
