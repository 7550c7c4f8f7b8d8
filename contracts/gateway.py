"""The only door to a chain's nodes: JSON-RPC in, plain Python values and named errors out.

The one module that imports web3. Every answer of a node passes `contracts.rpc.answers`, every value
`contracts.rpc.codec`, so that no caller meets a web3 type or a node's own words.
"""

from collections.abc import Mapping, Sequence
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
    ChainInternalError,
    ChainTimeoutError,
    ChainUnavailableError,
    TransactionRevertedError,
    UnknownContractError,
    WrongChainError,
)
from contracts.events import BlockHeader, ChainEvent, ContractReference, Receipt
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

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        """What became of a transaction, or None while it is not mined."""
        found = self._ask("eth_getTransactionReceipt", [_hex(transaction_hash)])
        return None if found is None else _receipt(found)

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
            if refusal.error:
                raise
            entry = self._artifacts.error(refusal.data[:4], name)
            raise codec.decode_refusal(entry, refusal.data) from None

    def _require(self, method: str, parameters: list[Any]) -> Any:
        if (found := self._ask(method, parameters)) is None:
            raise BlockNotFoundError(f"The node has no answer to {method} yet; ask again later.")
        return found

    def _ask(self, method: str, parameters: list[Any]) -> Any:
        if self._current not in self._checked:
            self.check_chain()
        return self._send(method, parameters)

    def _send(self, method: str, parameters: list[Any]) -> Any:
        try:
            return self._nodes[self._current].ask(method, parameters)
        except ChainUnavailableError:
            self._checked.discard(self._current)
            self._current = (self._current + 1) % len(self._nodes)
            raise


class _Node:
    """One node's JSON-RPC address: no retries of its own, no automatic fees, QBFT's long extraData allowed."""

    def __init__(self, url: str, timeout_seconds: float) -> None:
        provider = HTTPProvider(url, request_kwargs={"timeout": timeout_seconds}, exception_retry_configuration=None)
        # Only this middleware: the standard ones fill in fees and gas on their own.
        self._manager = Web3(provider, middleware=[ExtraDataToPOAMiddleware]).manager

    def ask(self, method: str, parameters: list[Any]) -> Any:
        try:
            return self._manager.request_blocking(RPCEndpoint(method), parameters)
        except Web3RPCError as error:
            answer = (error.rpc_response or {}).get("error")
            raise error_from_answer(method, answer if isinstance(answer, dict) else {}) from None
        except requests.Timeout as error:
            raise ChainTimeoutError(
                f"The node did not answer {method} in time. Is it up, and its disk well?"
            ) from error
        except requests.HTTPError as error:
            raise _http_error(method, error) from error
        except requests.RequestException as error:
            raise ChainUnavailableError("The node cannot be reached. Start it, or correct CHAIN_RPC_URL.") from error
        except (BadResponseFormat, ValueError) as error:
            raise ChainInternalError(
                f"The node's answer to {method} is no JSON-RPC. Is this a node's address?"
            ) from error


def _http_error(method: str, error: requests.HTTPError) -> Exception:
    status = error.response.status_code if error.response is not None else 0
    if status in (401, 403):
        return ChainAccessRefusedError(
            f"The node refused {method} (HTTP {status}). Check its token, and --host-allowlist for this host name."
        )
    if status >= 500:
        return ChainUnavailableError(f"The node failed to answer {method} (HTTP {status}). Try again.")
    return ChainInternalError(f"The node refused {method} (HTTP {status}). Is this a node's address?")


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
