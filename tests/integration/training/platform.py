"""The platform around a coordinator: dispatcher and projector in a thread, the rows of a founded consortium."""

import threading
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from eth_account import Account

from audit.acts import Actor
from consortium.common import blobs
from consortium.kernel.digests import bytes32_to_digest
from consortium.kernel.secp256k1 import address_of
from consortium.membership.models import Consortium, Membership, Organization, OrganizationKey
from contracts.dispatcher import Dispatcher
from contracts.gateway import Gateway
from contracts.models import AppliedMark, ChainCursor, ContractDeployment
from contracts.projector import project_once
from contracts.relay import Relay
from tests.integration.training.consortium_chain import POLICY, ConsortiumChain
from tests.integration.training.sites import Site, Sites
from tests.unit.federated.plans import make_rows
from tests.unit.training.plans import plan_document
from training.coordination.coordinator import coordinate
from training.coordination.desk import Hook, go_on
from training.coordination.patience import Patience
from training.domain.plan_document import PlanDocument, parse_plan
from training.federated.plan_code import TrainTask, train
from training.federated.runner import prepare_vector
from training.federated.strategies.federated_averaging import strategy_step
from training.federated.weights import initial_weights
from training.models import Plan, Run
from training.services.plans import draft_plan
from training.services.runs import start_run

# Everything here answers within milliseconds; a site that is silent for this long is dead.
HASTY = Patience(
    commit=20.0, shares=20.0, train=20.0, sign=20.0, reveal=20.0, verify=20.0, grace=2.0, absent=2.0, silence=2.0,
    sites=20.0, between_announcements=0.1, verify_tries=3,
)  # fmt: skip
ROWS = (59, 95, 111, 145, 376)
PERSON = Actor.system("test")


class Machinery(threading.Thread):
    """Dispatcher and projector, as their processes run them."""

    def __init__(self, chain: ConsortiumChain) -> None:
        super().__init__(daemon=True, name="machinery")
        self.gateway = Gateway([chain.anvil.url], chain_id=chain.gateway.chain_id)
        self.dispatcher = Dispatcher(self.gateway, Relay(Account.create()))
        self.stopping = threading.Event()
        self.fault: BaseException | None = None

    def run(self) -> None:
        try:
            while not self.stopping.wait(0.01):
                self.dispatcher.dispatch_once()
                project_once(self.gateway)
        except Exception as fault:  # noqa: BLE001  whatever it is, the test that waits shall show it
            self.fault = fault
        finally:
            connection.close()

    def stop(self) -> None:
        self.stopping.set()
        self.join()


@dataclass
class Platform:
    """A consortium with an approved plan, its sites and what serves them."""

    chain: ConsortiumChain
    consortium: Consortium
    sites: list[Site]
    plan: Plan
    document: PlanDocument
    threads: list[Any] = field(default_factory=list)

    @property
    def author(self) -> UUID:
        return self.chain.members[0].organization

    def start(self, backend: str = "memory") -> Run:
        with transaction.atomic():
            return start_run(plan_id=self.plan.pk, backend=backend, organization_id=self.author, actor=PERSON)

    def coordinate(self, run: Run, *, at: Hook = go_on, **changes: Any) -> bool:
        def moment(name: str) -> None:
            self.check()
            at(name)

        return coordinate(run.pk, at=moment, **({"patience": HASTY} | changes))

    def check(self) -> None:
        """Raise what went wrong in a thread."""
        for thread in self.threads:
            if thread.fault is not None:
                raise AssertionError(f"{thread.name} failed") from thread.fault

    def plain_weights(self, run: Run, lost: dict[int, set[int]] | None = None) -> bytes:
        """Compute the run without masks: fixed-point sums of the sites that were not lost in a round."""
        plan = self.document.training_plan
        weights = initial_weights(run.pk, plan.weight_count)
        for number in range(1, run.rounds + 1):
            gone = (lost or {}).get(number, set())
            sites = [site for place, site in enumerate(self.sites) if place not in gone]
            vectors = [prepare_vector(plan, train(TrainTask(plan, weights), site.rows)) for site in sites]
            weights = strategy_step(weights, sum(vectors[1:], vectors[0].copy()), plan, survivors=len(sites))
        return weights

    def weights(self, run: Run) -> bytes:
        run.refresh_from_db()
        return bytes(blobs.get(consortium_id=run.consortium_id, digest=run.weights).data)


def found(chain: ConsortiumChain) -> Consortium:
    """Write the rows that the projector would have made of the founding."""
    consortium = Consortium.objects.create(
        name="Five hospitals", slug="five", chain_id=chain.gateway.chain_id, policy_digest=bytes32_to_digest(POLICY)
    )
    for number, member in enumerate(chain.members, start=1):
        organization = Organization.objects.create(pk=member.organization, name=f"Hospital {number}", slug=f"h{number}")
        membership = Membership.objects.create(
            consortium=consortium, organization=organization, status="active", chain_state="confirmed"
        )
        for purpose, key in (("vote", member.vote), ("site", member.site)):
            OrganizationKey.objects.create(membership=membership, purpose=purpose, address=address_of(key))
    for contract in chain.contracts.values():
        ContractDeployment.objects.create(
            consortium_id=consortium.pk, name=contract.name, address=contract.address, block=0
        )
    head = chain.gateway.head()
    ChainCursor.objects.create(
        consortium_id=consortium.pk, first_block=head.number + 1, position=head.number, block_hash=head.hash
    )
    AppliedMark.objects.create(consortium_id=consortium.pk)
    return consortium


def make_sites(chain: ConsortiumChain) -> list[Site]:
    return [
        Site(chain, member, make_rows(count, seed=count)) for member, count in zip(chain.members, ROWS, strict=False)
    ]


def draft(chain: ConsortiumChain, consortium: Consortium, **changes: Any) -> Plan:
    sites = [str(member.organization) for member in chain.members]
    document = plan_document(consortium=str(consortium.pk), sites=sites, recipients=sites, **changes)
    with transaction.atomic():
        return draft_plan(
            consortium_id=consortium.pk,
            document=document,
            organization_id=chain.members[0].organization,
            actor=PERSON,
        )


def serve(platform: Platform, parameters: dict[str, Any]) -> None:
    platform.threads = [Machinery(platform.chain), Sites(platform.sites, parameters)]
    for thread in platform.threads:
        thread.start()


def document_of(plan: Plan) -> PlanDocument:
    return parse_plan(bytes(blobs.get(consortium_id=plan.consortium_id, digest=plan.digest).data))
