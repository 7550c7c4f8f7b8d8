"""What dispatcher, projector and agent ask of a chain: the gateway gives it, and FakeChain in unit tests."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from contracts.artifacts import Artifacts
from contracts.errors import ChainError, TransactionRevertedError
from contracts.events import BlockHeader, ChainEvent, ContractReference, Receipt, StorageProof

# Requests in one batch: Besu refuses more than 1,024, and answers a batch only when all of it is done.
MAX_BATCH = 100
# Besu takes requests of 5 MiB (DEFAULT_MAX_REQUEST_CONTENT_LENGTH in its source; the recorded build took 128): with the
# names around the data it stays below that.
MAX_BATCH_LETTERS = 4 * 2**20


@dataclass(frozen=True)
class Trial:
    """A transaction to try without sending it: a call of `to`, or a creation where it is None.

    With `gas` it is run once with so much; without, the node looks for the least that it needs, which
    takes it several runs. `name` is the contract whose words a refusal is in.
    """

    name: str
    to: str | None
    data: bytes
    gas: int | None = None


class Chain(Protocol):
    """One chain, seen through one node at a time; every method may raise `ChainUnavailableError`."""

    @property
    def chain_id(self) -> int: ...

    @property
    def artifacts(self) -> Artifacts: ...

    def check_chain(self) -> None: ...

    def head(self) -> BlockHeader: ...

    def block(self, number: int) -> BlockHeader | None: ...

    def call(self, contract: ContractReference, function: str, *arguments: Any, block: int | None = None) -> Any: ...

    def logs(self, contracts: Sequence[ContractReference], from_block: int, to_block: int) -> list[ChainEvent]: ...

    def encode(self, contract: ContractReference, function: str, *arguments: Any) -> bytes: ...

    def deploy_data(self, name: str, *arguments: Any) -> bytes: ...

    def simulate(self, contract: ContractReference, function: str, *arguments: Any, sender: str) -> int: ...

    def simulate_deployment(self, name: str, *arguments: Any, sender: str) -> int: ...

    def try_many(self, trials: Sequence[Trial], *, sender: str) -> list[int | ChainError]: ...

    def explain(
        self, name: str, *, sender: str, to: str | None, data: bytes, block: int
    ) -> TransactionRevertedError | None: ...

    def send_raw(self, raw: bytes) -> bytes: ...

    def send_raw_many(self, raws: Sequence[bytes]) -> list[bytes | ChainError]: ...

    def receipt(self, transaction_hash: bytes) -> Receipt | None: ...

    def receipts(self, hashes: Sequence[bytes]) -> list[Receipt | None]: ...

    def transaction(self, transaction_hash: bytes) -> dict[str, Any] | None: ...

    def transaction_count(self, address: str) -> int: ...

    def code(self, address: str) -> bytes: ...


@runtime_checkable
class ProvingChain(Chain, Protocol):
    """A chain that also gives what strangers can check: whole headers, all receipts of a block, proofs of its state."""

    @property
    def node_count(self) -> int: ...

    def one_node(self, place: int | None = None) -> AbstractContextManager[int]: ...

    def header(self, number: int) -> dict[str, str]: ...

    def block_receipts(self, number: int) -> list[dict[str, Any]]: ...

    def storage_proof(self, address: str, slot: int, number: int) -> StorageProof: ...
