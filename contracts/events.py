"""What is read from the chain, as plain values; no Django and no web3 type leaves the gateway."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class ContractReference:
    """A deployed contract: the name of its artifact, its address (EIP-55), and the schema of its events.

    An empty schema is that of the artifact that ships with us.
    """

    name: str
    address: str
    schema: str = ""


@dataclass(frozen=True)
class BlockHeader:
    """A block: `hash` has 32 bytes, `time` is in Unix seconds."""

    number: int
    hash: bytes
    time: int


@dataclass(frozen=True)
class StorageProof:
    """A slot in a state: nodes of the state's trie down to the account, and of its storage down to the slot."""

    account_nodes: list[bytes]
    slot_nodes: list[bytes]
    value: int


@dataclass(frozen=True)
class Receipt:
    """What became of a mined transaction; `contract_address` is filled only for a creation that succeeded.

    `revert_reason` is the ABI data of the refusal where the node keeps it (Besu with --revert-reason-enabled).
    """

    transaction_hash: bytes
    succeeded: bool
    block_number: int
    block_hash: bytes
    gas_used: int
    contract_address: str | None
    revert_reason: bytes | None


@dataclass(frozen=True)
class ChainEvent:
    """One decoded event of a contract.

    `log_index` counts through the block and may change when a development chain mines a
    transaction again; `transaction_log_index` counts through the transaction and does not.
    `block_time` is in Unix seconds; hashes have 32 bytes. `schema` names the events' forms of its contract
    (`contracts.artifacts.Artifact.schema`), and is empty where the contract was deployed before they were named.
    """

    name: str
    contract: str
    address: str
    arguments: dict[str, Any]
    block_number: int
    block_hash: bytes
    block_time: int
    transaction_hash: bytes
    log_index: int
    transaction_log_index: int
    topics: tuple[bytes, ...] = ()
    data: bytes = b""
    schema: str = ""

    def __str__(self) -> str:
        return f"{self.contract}.{self.name} in block {self.block_number}"

    @property
    def place(self) -> tuple[int, int]:
        """Block, and place in the block: the chain's order."""
        return self.block_number, self.log_index

    @property
    def key(self) -> str:
        """What names the event, also when a development chain mines its transaction again in another block."""
        return f"0x{self.transaction_hash.hex()}:{self.transaction_log_index}"
