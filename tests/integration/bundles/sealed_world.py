"""A consortium on a network of two validators, later three: its nodes seal, and are pruned when a test says so."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.utils import timezone
from eth_account.signers.local import LocalAccount

from audit.log.anchors import CONTRACT
from audit.models import AuditRecord, Checkpoint
from consortium.kernel.canonical import canonical_json
from consortium.kernel.eip712 import Domain
from contracts.models import BlockProof
from contracts.network.genesis import build_genesis
from contracts.network.members import Numbers
from contracts.network.predeployed import SOURCE_ADDRESS
from contracts.reading.evidence import EvidenceGateway
from tests.chain.anvil import Anvil
from tests.chain.sealed import validators
from tests.chain.sealed_node import SealedNode
from tests.integration.agent.networks import Network
from tests.integration.bundles.conftest import witnessed
from tests.integration.bundles.networks import EvidenceChain, found_on
from tests.integration.channel.agents import FakeSite

CHAIN_ID = 20_262


class SealedWorld:
    """The network's nodes and what is done on it."""

    def __init__(self, node: SealedNode, genesis: Path, keys: list[LocalAccount], network: Network) -> None:
        self.node, self.genesis, self.keys, self.network = node, genesis, keys, network
        self.chain: EvidenceChain

    def found(self, consortium_id: Any, sites: list[FakeSite]) -> None:
        self.sites = sites
        members = [str(key.address) for key in self.keys[:2]]
        self.chain = found_on(self.network, consortium_id, sites, validators=members, source_block=0)

    def replace_validators(self, *places: int) -> int:
        """Let these seal from the next block on; return the block of the change."""
        members = [self.keys[place].address for place in places]
        return self.network.transact("ValidatorSource", "replaceValidators", members).block_number

    def anchor(self, act: Callable[..., AuditRecord], keep: Callable[[], Checkpoint | None], as_system: Any) -> None:
        """Record an act, have it witnessed and anchored, and read the chain."""
        self.anchor_unread(act, keep, as_system)
        with as_system():
            self.chain.settle()

    def anchor_unread(
        self, act: Callable[..., AuditRecord], keep: Callable[[], Checkpoint | None], as_system: Any
    ) -> None:
        """The same, and nobody has read of it yet."""
        domain = Domain(CONTRACT, CHAIN_ID, self.network.addresses[CONTRACT])
        act(1)
        keep()
        for site in self.sites:
            witnessed(site, domain)
        keep()
        with as_system():
            self.chain.send()


@contextmanager
def sealed_world(folder: Path) -> Iterator[SealedWorld]:
    """Start a node on a genesis of ours."""
    keys, network_relay = validators(3), Network(EvidenceGateway(["http://127.0.0.1:9"], chain_id=CHAIN_ID)).relay
    numbers = Numbers("sealed", CHAIN_ID, minimum_validators=2)
    genesis = folder / "genesis.json"
    built = build_genesis(numbers, [key.address for key in keys[:2]], relay=network_relay.address)
    genesis.write_bytes(canonical_json(built))
    with (
        Anvil(folder, chain_id=CHAIN_ID, genesis=genesis).start() as anvil,
        SealedNode(anvil, SOURCE_ADDRESS, keys) as node,
    ):
        gateway = EvidenceGateway([node.url], chain_id=CHAIN_ID)
        network = Network(gateway, relay=network_relay, addresses={"ValidatorSource": SOURCE_ADDRESS})
        yield SealedWorld(node, genesis, keys, network)


def proofs() -> dict[int, BlockProof]:
    return {proof.block_number: proof for proof in BlockProof.objects.all()}


def retry_now() -> None:
    """As if the pause before the next attempt had passed."""
    BlockProof.objects.filter(retry_at__isnull=False).update(retry_at=timezone.now())
