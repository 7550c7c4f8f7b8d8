"""A hospital and a bank share a consortium and witness its log; on demand its contracts stand on a real node."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction
from django.test import Client

from audit.acts import Actor, Subject
from audit.bundles.building import build_bundle
from audit.bundles.exporters import Exporter
from audit.bundles.keeping import keep_logs
from audit.bundles.orders import Order
from audit.bundles.requests import export_bundle
from audit.bundles.storage import bundle_path
from audit.bundles.trust import export_trust
from audit.log.anchors import CONTRACT
from audit.log.cosignatures import checkpoint_digest
from audit.log.keys import create_key, key_path, read_key
from audit.models import AuditLog, AuditRecord, Bundle, Checkpoint, WitnessRule
from audit.recorder import record
from consortium.common.tenancy import act_for
from consortium.kernel.eip712 import Domain
from consortium.kernel.identifiers import to_hex
from consortium.kernel.secp256k1 import sign_digest
from consortium.membership.models import RoleAssignment, User
from contracts.models import ContractDeployment
from tests.chain.anvil import Anvil
from tests.factories.membership import World, make_user, make_world
from tests.integration.bundles.networks import EvidenceChain, found
from tests.integration.channel.agents import FakeSite

ANCHOR_ADDRESS = "0x" + "55" * 20
RUN = Subject("run", str(uuid.UUID(int=5)))


@pytest.fixture(autouse=True)
def platform(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.CHAIN_ID = settings.DEVELOPMENT_CHAIN_ID
    settings.PLATFORM_FOLDER = tmp_path / "platform"
    settings.LOG_KEY_FILE = str(tmp_path / "log.key")
    create_key(tmp_path / "log.key")
    # What is due is due at once: tests record, sign and sign again within one second.
    monkeypatch.setattr("audit.log.pacing.SHORTEST", timedelta())


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        made = make_world()
        for role in ("compliance", "scientist"):
            user = make_user(f"{role}@hospital.example")
            RoleAssignment.objects.create(user=user, organization=made.hospital, role=role)
    return made


@pytest.fixture
def contract(world: World, as_system) -> Domain:
    """The consortium's AuditAnchor, where nobody asks a node for it, and a quorum of two witnesses."""
    with as_system():
        ContractDeployment.objects.create(
            consortium_id=world.consortium.pk, name=CONTRACT, address=ANCHOR_ADDRESS, block=1
        )
        WitnessRule.objects.create(consortium_id=world.consortium.pk, quorum=2, set_in_block=1)
    return Domain(CONTRACT, 417_001, ANCHOR_ADDRESS)


@pytest.fixture
def sites(world: World, as_system) -> dict[str, FakeSite]:
    """The agents of all three, with open sessions; the outsider's is of another consortium."""
    homes = {"hospital": world.consortium, "bank": world.consortium, "outsider": world.other_consortium}
    made = {name: FakeSite(getattr(world, name)) for name in homes}
    with as_system():
        for name, site in made.items():
            site.register(homes[name])
    for site in made.values():
        site.open_session()
    return made


@pytest.fixture
def act(world: World, as_system) -> Callable[..., AuditRecord]:
    """Record one act of the system in the shared consortium's log."""

    def run(fence: int = 1, *, consortium: Any = None) -> AuditRecord:
        with as_system():
            return record(
                action="training.lease.take",
                organization_id=None,
                consortium_id=(consortium or world.consortium).pk,
                actor=Actor.system("coordinator"),
                subject=RUN,
                data={"fence": fence},
            )

    return run


@pytest.fixture
def keep(as_system) -> Callable[[], Checkpoint | None]:
    """Do one turn of the logs' upkeep; return the newest checkpoint of all."""

    def run() -> Checkpoint | None:
        with as_system():
            keep_logs()
            return Checkpoint.objects.order_by("-created_at").first()

    return run


def witnessed(site: FakeSite, domain: Domain) -> list[int]:
    """Co-sign the last step of everything that waits for a site, as an agent that believes the platform."""
    sizes = []
    for item in site.get("checkpoints").json()["results"]:
        step = item["steps"][-1]
        checkpoint = Checkpoint(
            size=step["size"], root=bytes.fromhex(step["root"][2:]), note=step["note"], previous_size=0
        )
        body = {"signature": to_hex(sign_digest(checkpoint_digest(checkpoint, domain), site.key))}
        answer = site.post(f"checkpoints/{step['id']}/signature", body, **{"Idempotency-Key": step["id"]})
        assert answer.status_code == 201, answer.content
        sizes.append(step["size"])
    return sizes


@pytest.fixture
def login(world: World) -> Callable[[str], Client]:
    """Log a person in by the part of the address before the dot: `admin@bank`."""

    def run(who: str) -> Client:
        client = Client()
        assert client.login(email=f"{who}.example", password="a long pass phrase")
        return client

    return run


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Anvil]:
    anvil = Anvil(tmp_path_factory.mktemp("evidence-anvil")).start()
    yield anvil
    anvil.stop()


@pytest.fixture
def chain(node: Anvil, world: World, sites: dict[str, FakeSite], as_system) -> EvidenceChain:
    with as_system():
        return found(node, world.consortium.pk, [sites["hospital"], sites["bank"]])


@pytest.fixture
def anchored_log(
    world: World,
    chain: EvidenceChain,
    sites: dict[str, FakeSite],
    act: Callable[..., AuditRecord],
    keep: Callable[[], Checkpoint | None],
    as_system,
) -> AuditLog:
    """A log with two anchored checkpoints and a third that nobody has witnessed yet."""
    domain = Domain(CONTRACT, 417_001, _anchor_address(world, as_system))
    for fence in (1, 2):
        act(fence)
        keep()
        for name in ("hospital", "bank"):
            witnessed(sites[name], domain)
        keep()
        with as_system():
            chain.settle()
    act(3)
    keep()
    with as_system():
        return AuditLog.objects.of(consortium_id=world.consortium.pk)


def _anchor_address(world: World, as_system: Any) -> str:
    with as_system():
        return ContractDeployment.objects.get(consortium_id=world.consortium.pk, name=CONTRACT).address


def ask_for_bundle(world: World, *, report: str = "audit_controls", **order: Any) -> Bundle:
    """Ask as the hospital's compliance officer."""
    with act_for(organization_id=world.hospital.pk):
        person = User.objects.get(email="compliance@hospital.example")
    with transaction.atomic(), act_for(organization_id=world.hospital.pk, person_id=person.pk):
        return export_bundle(
            consortium_id=world.consortium.pk,
            exporter=Exporter(person.pk, world.hospital.pk),
            order=Order(report, **order),
        )


def make(bundle: Bundle, chain: Any) -> Bundle:
    """Let a worker make it; return the row as it then is."""
    build_bundle(bundle_id=bundle.pk, organization_id=bundle.organization_id, chain=chain)
    with act_for(organization_id=bundle.organization_id):
        return Bundle.objects.get(pk=bundle.pk)


@dataclass(frozen=True)
class Made:
    """A real bundle and the trust file that another member would give."""

    bundle: bytes
    trust: dict[str, Any]
    key: Ed25519PrivateKey


_ONCE: dict[str, Made] = {}


@pytest.fixture
def real_bundle(request: pytest.FixtureRequest) -> Made:
    """One real bundle for the whole session: what tampers with it needs its bytes alone."""
    if "made" not in _ONCE:
        world: World = request.getfixturevalue("world")
        request.getfixturevalue("anchored_log")
        chain = request.getfixturevalue("chain").gateway
        done = make(ask_for_bundle(world), chain)
        assert (done.state, done.error_text) == ("ready", "")
        with act_for(organization_id=world.bank.pk):
            trust = export_trust(world.consortium.pk, chain=chain)
        _ONCE["made"] = Made(bundle_path(done.pk).read_bytes(), trust, read_key(key_path()))
    return _ONCE["made"]
