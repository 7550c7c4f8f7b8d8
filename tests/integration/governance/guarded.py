"""A consortium of three members on a real node, each with its own agent; two of them together are its guardian."""

from collections.abc import Callable, Coroutine
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from eth_account import Account

from agent.ballots import Choice
from agent.chain import Consortium as CheckedConsortium
from agent.configuration import Configuration, Rules
from agent.courier import Courier
from agent.desk import BallotDesk
from agent.founding import found_site
from agent.keystore import KeyPurpose
from agent.letters import Letter
from agent.people import Person, Role
from agent.site import Site, open_site
from agent.veto_desk import VetoDesk
from consortium.demo.policy import POLICY
from consortium.governance.models import Proposal
from consortium.governance.services.progress import advance_all
from consortium.kernel.digests import bytes32_to_digest
from consortium.membership.models import Consortium, Organization, RoleAssignment
from consortium.membership.services.founding import parse_founding, register_founding
from contracts import outbox
from contracts.deployment import deploy_consortium
from contracts.dispatcher import Dispatcher
from contracts.events import ContractReference
from contracts.gateway import Gateway
from contracts.models import ContractDeployment, OutboxTransaction
from contracts.projector import project_once
from contracts.relay import Relay
from tests.chain.anvil import Anvil
from tests.factories.membership import make_user
from tests.integration.agent.networks import RUNNER
from tests.integration.channel.here import Here, PlatformHere
from tests.integration.contracts.conftest import settle

MEMBERS = ("hospital", "clinic", "bank")
THRESHOLD = 2
VOTING_SECONDS, TIMELOCK_SECONDS = 600, 300
VERA = Person("vera", "Vera", frozenset({Role.VOTER}))
AsSystem = Callable[[], AbstractContextManager[None]]
Work = Callable[["Table"], Coroutine[Any, Any, Any]]


@dataclass
class Table:
    """Where a voter of one member sits: its agent's desks, and the platform behind them."""

    site: Site
    consortium: CheckedConsortium
    courier: Courier
    ballots: BallotDesk
    vetoes: VetoDesk


@dataclass
class Guarded:
    """The chain, the platform's programs that send to it and read of it, and the members' agents."""

    node: Anvil
    gateway: Gateway
    dispatcher: Dispatcher
    consortium: Consortium
    sites: dict[str, Site]
    as_system: AsSystem
    here: Here = field(default_factory=Here)

    def at(self, member: str, work: Work) -> Any:
        """Let a voter of a member work at its agent."""
        return self.here.drive(self._work(self.sites[member], work))

    def propose(self, member: str, seconds: int, description: str) -> Proposal:
        """Propose another voting period at a member's agent; return the row when its vote is open."""

        async def work(table: Table) -> None:
            letter = table.site.proposing.propose_act(
                consortium=table.consortium,
                kind="SetVotingPeriod",
                arguments={"newVotingPeriod": seconds},
                description=description,
                person=VERA,
            )
            assert await table.courier.deliver(letter)

        self.at(member, work)
        self.settle()
        self.pass_seconds(2)
        with self.as_system():
            return Proposal.objects.get(description=description)

    def vote(self, proposal: Proposal) -> None:
        """Every member's yes, cast at its own agent; then the platform takes the act to the timelock."""

        async def work(table: Table) -> None:
            (laid_out,) = await table.ballots.waiting()
            digest = next(one.digest for one in laid_out.prepared if one.choice is Choice.YES)
            about: dict[str, Any] = {"proposal": proposal.pk, "choice": Choice.YES, "person": VERA}
            assert (await table.ballots.cast(**about, digest=digest))[1]

        for member in MEMBERS:
            self.at(member, work)
        self.settle()
        self.go_on()

    def veto(self, member: str, proposal: Proposal, reason: str) -> Letter:
        """Sign against an act at a member's agent, and hand it in."""

        async def work(table: Table) -> Letter:
            prepared = (await table.vetoes.read(proposal.pk)).prepared
            assert prepared is not None
            about: dict[str, Any] = {"proposal": proposal.pk, "reason": reason, "person": VERA}
            letter, delivered = await table.vetoes.sign(**about, digest=prepared.digest)
            assert delivered
            return letter

        return self.at(member, work)

    def go_on(self) -> int:
        """The platform's sweep at the chain's own time; returns how many steps it asked for."""
        with self.as_system():
            asked = advance_all(datetime.fromtimestamp(self.gateway.head().time, UTC))
        self.settle()
        return asked

    def settle(self) -> None:
        """Send what waits and read what the chain says of it."""
        with self.as_system():
            settle(self.dispatcher)
            project_once(self.gateway)

    def pass_seconds(self, seconds: int) -> None:
        self.node.ask("evm_increaseTime", seconds)
        self.node.ask("evm_mine")

    def address(self, contract: str) -> str:
        with self.as_system():
            return ContractDeployment.objects.get(consortium_id=self.consortium.pk, name=contract).address

    def call(self, contract: str, function: str, *arguments: Any) -> Any:
        return self.gateway.call(ContractReference(contract, self.address(contract)), function, *arguments)

    def relay(self, contract: str, function: str, arguments: list[Any]) -> OutboxTransaction:
        """Send something past all of the platform's own rules; return what became of it."""
        with self.as_system():
            key = f"test:{OutboxTransaction.objects.count()}"
            about: dict[str, Any] = {"contract": contract, "function": function, "arguments": arguments}
            row = outbox.enqueue(consortium_id=self.consortium.pk, idempotency_key=key, **about)
        self.settle()
        with self.as_system():
            row.refresh_from_db()
        return row

    async def _work(self, site: Site, work: Work) -> Any:
        async with site.client(transport=PlatformHere(self.here)) as client:
            courier = Courier(client, site.letters)
            ballots = site.desk(client, courier)
            consortium = await ballots.consortium(self.consortium.pk)
            return await work(Table(site, consortium, courier, ballots, site.veto_desk(client, courier)))


def found(node: Anvil, folder: Path, as_system: AsSystem) -> Guarded:
    """Found the consortium as an operator does, with people who may look at its pages."""
    with as_system():
        for slug in MEMBERS:
            organization = Organization.objects.create(name=slug.title(), slug=slug)
            user = make_user(f"admin@{slug}.example")
            RoleAssignment.objects.create(user=user, organization=organization, role="admin")
        sites = {slug: _make_site(node, folder / slug, Organization.objects.get(slug=slug)) for slug in MEMBERS}
        founding = register_founding(parse_founding(_document(sites)), chain_id=node.chain_id)
        gateway, relay = Gateway([node.url], chain_id=node.chain_id), Relay(Account.create())
        deploy_consortium(gateway, relay, founding)
        consortium = Consortium.objects.get(pk=founding.consortium_id)
    made = Guarded(node, gateway, Dispatcher(gateway, relay), consortium, sites, as_system)
    made.settle()
    # Who may vote is asked of the second before: the founders must have been members for one.
    made.pass_seconds(2)
    return made


def _make_site(node: Anvil, folder: Path, organization: Organization) -> Site:
    rules = Rules(signatures_per_minute=1000)
    about: dict[str, Any] = {"chain_id": node.chain_id, "chain_urls": (node.url,), "port": 0, "rules": rules}
    configuration = Configuration(organization.pk, organization.name, "http://127.0.0.1:9", **about)
    found_site(folder, configuration)
    return open_site(folder)


def _document(sites: dict[str, Site]) -> dict[str, Any]:
    delays = {"voting_delay_seconds": 1, "voting_period_seconds": VOTING_SECONDS}
    parameters = POLICY["parameters"] | {"minimumValidators": 1}
    return {
        "name": "Guarded",
        "slug": "guarded",
        "founders": {slug: _keys(site) for slug, site in sites.items()},
        "policy": POLICY | delays | {"timelock_delay_seconds": TIMELOCK_SECONDS, "parameters": parameters},
        "runners": [bytes32_to_digest(RUNNER)],
        "guardian": {"members": list(MEMBERS), "threshold": THRESHOLD},
    }


def _keys(site: Site) -> dict[str, str]:
    addresses = {f"{purpose}_key": site.signer.address(purpose) for purpose in KeyPurpose}
    return addresses | {"validator": Account.create().address}
