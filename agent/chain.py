"""The member's own door to the chain: what it asks of a node, and a consortium's contracts there."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agent.configuration import Configuration
from agent.errors import ChainNotTrustedError
from consortium.kernel.eip712 import Domain
from contracts.events import BlockHeader, ChainEvent, ContractReference


class Chain(Protocol):
    """Reads of one node; `contracts.gateway.Gateway` is the real one."""

    def check_chain(self) -> None: ...

    def head(self) -> BlockHeader: ...

    def block(self, number: int) -> BlockHeader | None: ...

    def call(self, contract: ContractReference, function: str, *arguments: Any, block: int | None = None) -> Any: ...

    def logs(self, contracts: Sequence[ContractReference], from_block: int, to_block: int) -> list[ChainEvent]: ...

    def code(self, address: str) -> bytes: ...

    def transaction_count(self, address: str) -> int: ...


@dataclass(frozen=True, slots=True)
class Consortium:
    """A consortium whose contracts this site has checked and pinned."""

    id: uuid.UUID
    name: str
    chain_id: int
    contracts: Mapping[str, str]

    def reference(self, name: str) -> ContractReference:
        """Return one of its contracts; `ChainNotTrustedError` if it has none of that name."""
        if name not in self.contracts:
            raise ChainNotTrustedError(f"{self.name} has no {name} that this site has checked.")
        return ContractReference(name, self.contracts[name])

    def domain(self, name: str) -> Domain:
        """Return the domain in which messages for one of its contracts are signed."""
        return Domain(name, self.chain_id, self.reference(name).address)


def open_chain(configuration: Configuration) -> Chain:
    """Return the gateway to the member's own node."""
    # web3 takes a second to import; commands that need no chain do not wait for it.
    from contracts.gateway import Gateway
    from contracts.rpc.tokens import READING, token_source

    tokens = token_source(configuration.chain_token_file, configuration.chain_jwt_key_file, permissions=READING)
    return Gateway(list(configuration.chain_urls), chain_id=configuration.chain_id, tokens=tokens)
