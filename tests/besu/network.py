"""Several nodes of one network: one chain, gossip between their pools, and what goes wrong between them."""

from typing import Any

from tests.besu.ledger import Ledger, genesis_ledger
from tests.besu.node import Node
from tests.besu.refusals import Refusal
from tests.besu.transactions import Transaction


class Network:
    """`mine` makes blocks at a test's command. Frozen, it makes none, and all else is answered as before."""

    def __init__(self, count: int = 1, *, ledger: Ledger | None = None, **options: Any) -> None:
        self.ledger = ledger or genesis_ledger()
        self.nodes = [Node(self.ledger, index, **options) for index in range(count)]
        self.is_frozen = False
        for node in self.nodes:
            node.gossip = self._spread
            node.peers = [other.enode for other in self.nodes if other is not node]

    def mine(self, blocks: int = 1, *, now: int | None = None) -> None:
        """Make so many blocks of what waits anywhere; nothing where the network is frozen."""
        for offset in range(0 if self.is_frozen else blocks):
            best = max(self.nodes, key=lambda node: len(node.pool))
            block = best.mine(now=None if now is None else now + offset)
            for node in self.nodes:
                if node is not best:
                    node.see(block)

    def freeze(self) -> None:
        """Lose the quorum: transactions are still taken, `eth_syncing` is false, the probes are well."""
        self.is_frozen = True

    def thaw(self) -> None:
        self.is_frozen = False

    def _spread(self, origin: Node, transaction: Transaction) -> None:
        for node in self.nodes:
            if node is not origin:
                try:
                    node.take(transaction)
                except Refusal:
                    # Dropped without a word, as by a real peer.
                    continue
