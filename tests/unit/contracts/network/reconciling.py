"""A member's node on the model of Besu, with a registry's word, for tests of the reconciler."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from consortium.kernel.digests import keccak256
from contracts.network.enodes import Enode, public_key_of
from contracts.network.operations_port import OperationsPort
from contracts.network.reconciling.offers import Offers, offers_of
from contracts.network.registered import NO_VALIDATOR, Registered, Standing
from contracts.reconciler import Known, Outcome, Reconciler, Word
from contracts.rpc.answers import error_from_answer
from tests.besu.ledger import Ledger, genesis_ledger
from tests.besu.node import Node
from tests.besu.permissions import Permissions
from tests.besu.refusals import Refusal
from tests.besu.websocket import serve_websocket

RELAY = "0x6AC7EA33F8831EA9dcC53393aAA88B25A785DBF0"


@lru_cache
def enode(number: int, host: str = "") -> Enode:
    """The node of member `number`, with a key of its own."""
    return Enode(public_key_of(keccak256(f"member {number}".encode())), host or f"10.0.0.{number}", 30_303)


def member(number: int, *, standing: int = Standing.ACTIVE, is_validating: bool = True) -> Registered:
    return Registered(keccak256(f"organization {number}".encode()), standing, is_validating, enode(number).address)


def without_node(number: int) -> Registered:
    return Registered(keccak256(f"organization {number}".encode()), Standing.ACTIVE, False, NO_VALIDATOR)


def said(*nodes: Enode | str, is_own_word: bool = False) -> Offers:
    source = "a file" if is_own_word else "the platform"
    return offers_of([str(node) for node in nodes], source=source, is_own_word=is_own_word)


def ledger_of(validators: Sequence[Enode]) -> Ledger:
    """A chain whose blocks these nodes make."""
    ledger = genesis_ledger()
    ledger.validators = [(1, tuple(sorted(node.address.lower() for node in validators)))]
    ledger.mine(now=int(time.time()))
    return ledger


class Asked:
    """The node without a socket between: answers and refusals as the operations port gives them."""

    def __init__(self, node: Node) -> None:
        self.node = node

    def ask(self, method: str, parameters: Sequence[Any] = ()) -> Any:
        try:
            return self.node.ask(method, list(parameters))
        except Refusal as refusal:
            raise error_from_answer(method, refusal.error) from refusal


@dataclass
class World:
    """Member 1's node and its reconciler; `members` is what the registry says."""

    node: Node
    members: list[Registered]
    reconciler: Reconciler
    offers: Offers = field(default_factory=Offers)
    also: tuple[Enode, ...] = ()
    accounts: tuple[str, ...] = ()
    fault: str = ""
    known: Known | None = None
    reads_file: bool = False

    def word(self) -> Word:
        path = self.node.permissions.path
        return Word(
            registered=None if self.fault else tuple(self.members),
            offers=self.offers,
            also=self.also,
            accounts=self.accounts,
            fault=self.fault,
            file=path.read_bytes() if path and self.reads_file else None,
        )

    def look(self, accepted: int = 0) -> Outcome:
        """A look as the agent makes it, which remembers the last one's lists."""
        outcome = self.reconciler.look(self.word(), known=self.known, accepted=accepted)
        self.known = outcome.known
        return outcome

    @property
    def listed(self) -> set[str]:
        return set(self.node.permissions.nodes or [])


def make_node(
    count: int, *, listed: Sequence[Enode], fixed: Sequence[Enode] = (), path: Path | None = None, **options: Any
) -> Node:
    """Member 1's node in a network of `count` validators."""
    permissions = Permissions(
        nodes=[str(node) for node in listed],
        accounts=[RELAY],
        fixed=tuple(str(node) for node in fixed),
        path=path,
    )
    ledger = ledger_of([enode(number) for number in range(1, count + 1)])
    known = {("net_enode", "[]"): f"{enode(1)}?discport=0"}
    return Node(ledger, permissions=permissions, known=known, **options)


@contextmanager
def world(count: int = 4, *, listed: Sequence[Enode] | None = None, **options: Any) -> Iterator[World]:
    """A network of `count` members over a real web socket; the list is as it should be unless given."""
    everybody = [enode(number) for number in range(1, count + 1)]
    node = make_node(count, listed=everybody if listed is None else listed, **options)
    with serve_websocket(node) as socket:
        reconciler = Reconciler(OperationsPort(socket.url), pause=lambda _: None)
        members = [member(number) for number in range(1, count + 1)]
        yield World(node, members, reconciler, offers=said(*everybody))


def states(outcome: Outcome) -> dict[str, str]:
    return {point.name: str(point.state) for point in outcome.points}


def text_of(outcome: Outcome, name: str) -> str:
    return next(point.text for point in outcome.points if point.name == name)
