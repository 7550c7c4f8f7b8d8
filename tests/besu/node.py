"""One node: how far it has followed its network, what waits in its pool, and whom it lets in."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.besu import refusals
from tests.besu.access import LOCAL_HOSTS, Tokens
from tests.besu.ledger import Ledger, genesis_ledger
from tests.besu.logs import DEFAULT_RANGE
from tests.besu.methods import methods_of
from tests.besu.permissions import Permissions
from tests.besu.pool import SEQUENCED_AHEAD, Pool
from tests.besu.recordings import CHAIN_ID
from tests.besu.transactions import Transaction

MAX_BATCH = 1_024
# Interfaces that these nodes do not serve, and methods that contract mode has not.
_NOT_ENABLED_GROUPS = ("miner", "ibft", "clique")
_NOT_ENABLED = ("eth_coinbase", "qbft_proposeValidatorVote", "qbft_getPendingVotes", "qbft_discardValidatorVote")

Answer = Callable[..., Any]


class Listener(Protocol):
    """A connection that is told of what comes."""

    def block(self, block: dict[str, Any], logs: list[dict[str, Any]]) -> None: ...

    def pending(self, transaction: Transaction) -> None: ...


@dataclass
class Node:
    """A node of a network of its own, unless `Network` has made it.

    `height` is a number where the node stands still or lags behind its ledger, and None where it follows.
    `keeps_pool` is --tx-pool-enable-save-restore, `known` what else it answers: by (method, parameters as text).
    """

    ledger: Ledger = field(default_factory=genesis_ledger)
    index: int = 0
    chain_id: int = CHAIN_ID
    min_gas_price: int = 0
    max_ahead: int = SEQUENCED_AHEAD
    max_logs_range: int = DEFAULT_RANGE
    max_batch: int = MAX_BATCH
    keeps_pool: bool = False
    hosts: tuple[str, ...] = LOCAL_HOSTS
    tokens: Tokens | None = None
    permissions: Permissions = field(default_factory=Permissions)
    height: int | None = None
    peers: list[str] = field(default_factory=list)
    wanted_peers: set[str] = field(default_factory=set)
    known: Mapping[tuple[str, str], Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.pool = Pool(self.chain_id, min_gas_price=self.min_gas_price, max_ahead=self.max_ahead)
        self.local: set[str] = set()
        self.gossip: Callable[[Node, Transaction], None] = _to_nobody
        self.sessions: list[Listener] = []
        self.methods: dict[str, Answer] = methods_of(self)

    @property
    def head(self) -> int:
        return self.ledger.head if self.height is None else min(self.height, self.ledger.head)

    @property
    def enode(self) -> str:
        """An address of its own; nobody listens there."""
        return f"enode://{self.index + 1:0128x}@127.0.0.1:{30_303 + self.index}"

    def ask(self, method: str, parameters: list[Any]) -> Any:
        """The result of a call; a `Refusal` in Besu's words where there is none."""
        self.asked.append(method)
        with self.lock:
            if method in self.methods:
                return self.methods[method](*parameters)
            return self._known(method, parameters)

    def is_known(self, method: str) -> bool:
        return method in self.methods or any(name == method for name, _ in self.known)

    def require_access(self, method: str, authorization: str | None) -> None:
        """Refuse a call without the right token; methods that do not exist are told apart first, as Besu does."""
        if self.tokens is not None and self.is_known(method):
            self.tokens.require(method, authorization)

    def take(self, transaction: Transaction) -> None:
        """Put a transaction into the pool, or refuse it."""
        authorized = self.permissions.allows_account(transaction.sender)
        self.pool.add(transaction, ledger=self.ledger, height=self.head, authorized=authorized)
        for listener in list(self.sessions):
            listener.pending(transaction)

    def mine(self, *, now: int | None = None) -> dict[str, Any]:
        """Make the next block of what waits here and can be executed."""
        with self.lock:
            ready = [t for t in self.pool.executable(self.ledger) if self.permissions.allows_account(t.sender)]
            block = self.ledger.mine(ready, now=now)
            self.see(block)
            return block

    def see(self, block: dict[str, Any]) -> None:
        """Take note of a block that the ledger has got: used nonces leave the pool, listeners are told."""
        self.pool.forget_mined(self.ledger, self.head)
        number = int(block["number"], 16)
        if number <= self.head:
            for listener in list(self.sessions):
                listener.block(block, self.ledger.logs(number, number))

    def recorded(self, method: str, parameters: list[Any]) -> Any:
        """What was recorded for exactly this question, or None; a recorded refusal is raised."""
        found = self.known.get((method, as_text(parameters)))
        if isinstance(found, refusals.Refusal):
            raise found
        return found

    def restart(self) -> None:
        """Lose what waits, unless the pool is kept."""
        with self.lock:
            if not self.keeps_pool:
                self.pool.clear()
                self.local.clear()

    def stand_still(self) -> None:
        """Follow the network no more; everything else is answered as before."""
        self.height = self.head

    def follow(self) -> None:
        self.height = None

    def _known(self, method: str, parameters: list[Any]) -> Any:
        if (found := self.recorded(method, parameters)) is not None:
            return found
        if method.partition("_")[0] in _NOT_ENABLED_GROUPS or method in _NOT_ENABLED:
            raise refusals.method_not_enabled()
        raise refusals.method_not_found()


def as_text(parameters: Any) -> str:
    """Parameters in one spelling, for looking them up."""
    return json.dumps(parameters, sort_keys=True, separators=(",", ":"))


def _to_nobody(node: Node, transaction: Transaction) -> None:
    """The gossip of a node without a network."""
