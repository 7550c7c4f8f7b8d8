"""The contracts that evidence needs, on a real node: registry and AuditAnchor, with two members."""

from dataclasses import dataclass
from typing import Any

from eth_account import Account

from consortium.kernel.identifiers import uuid_to_bytes32
from contracts.dispatcher import Dispatcher
from contracts.models import ContractDeployment
from contracts.projector import project_once, start_projection
from contracts.reading.evidence import EvidenceGateway
from contracts.relay import Relay
from tests.chain.anvil import Anvil
from tests.integration.agent.networks import PARAMETERS, POLICY, RULE, VALIDATOR, Network
from tests.integration.channel.agents import FakeSite

QUORUM = 2


@dataclass
class EvidenceChain:
    """One consortium's contracts, and the programs that send to them and read of them; used as the system."""

    gateway: EvidenceGateway
    dispatcher: Dispatcher
    consortium_id: Any
    network: Network

    def settle(self) -> None:
        """Send what waits and read what the chain says, until nothing is left."""
        self.send()
        project_once(self.gateway)

    def send(self) -> None:
        """Send what waits, and read nothing of the chain."""
        self.dispatcher.dispatch_once()
        while self.dispatcher.is_busy():
            self.dispatcher.dispatch_once()


def found(node: Anvil, consortium_id: Any, sites: list[FakeSite]) -> EvidenceChain:
    """Deploy registry and AuditAnchor for these members, and read what they say of their founding."""
    network = Network(EvidenceGateway([node.url], chain_id=node.chain_id))
    network.deploy("ValidatorSource", 1, network.relay.address, network.relay.address, [VALIDATOR])
    return found_on(network, consortium_id, sites, validators=[VALIDATOR, "0x" + "00" * 20])


def found_on(
    network: Network,
    consortium_id: Any,
    sites: list[FakeSite],
    *,
    validators: list[str],
    source_block: int | None = None,
) -> EvidenceChain:
    """The same on a network whose ValidatorSource stands already; each member has the validator of its place."""
    gateway: Any = network.gateway
    source = network.addresses["ValidatorSource"]
    founders = [
        {
            **{"id": uuid_to_bytes32(site.organization.pk), "siteKey": site.address, "profile": bytes([6]) * 32},
            **{"voteKey": Account.create().address, "validator": validator},
        }
        for site, validator in zip(sites, validators, strict=True)
    ]
    numbers = PARAMETERS | {"witnessQuorum": QUORUM}
    first = gateway.head().number
    registry = network.deploy(
        "ConsortiumRegistry", network.relay.address, source, founders, [RULE] * 4, numbers, POLICY, []
    )
    network.deploy("AuditAnchor", registry)
    for name, address in network.addresses.items():
        block = source_block if name == "ValidatorSource" and source_block is not None else first
        ContractDeployment.objects.create(consortium_id=consortium_id, name=name, address=address, block=block)
    start_projection(consortium_id)
    chain = EvidenceChain(gateway, Dispatcher(gateway, Relay(Account.create())), consortium_id, network)
    chain.settle()
    return chain
