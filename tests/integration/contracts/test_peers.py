"""`manage.py chain peer`: a release of another consortium carried over by our own outbox and dispatcher."""

import io
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import transaction
from eth_account import Account

from consortium.kernel.eip712 import Domain, typed_hash
from consortium.kernel.identifiers import uuid_to_bytes32
from consortium.kernel.secp256k1 import sign_digest
from contracts.artifacts import Artifacts
from contracts.crosschain.anchors import Anchor, anchor_at, set_digest
from contracts.crosschain.documents import anchor_text, parse_anchor
from contracts.dispatcher import Dispatcher
from contracts.gateway import Gateway
from contracts.management.subcommands import peer
from contracts.models import ContractDeployment, OutboxTransaction
from contracts.projections import _HANDLERS
from contracts.projector import project_once
from contracts.reading.evidence import EvidenceGateway
from contracts.reading.replay import replay
from contracts.reading.streams import start_projection
from contracts.relay import Relay
from tests.chain.anvil import Anvil
from tests.chain.sealed import SealedChain, validators
from tests.integration.agent.networks import PARAMETERS, RULE, Network
from training.models import ForeignModel

ROOT = Path(__file__).parents[3]
ARTIFACTS = Artifacts([ROOT / "contracts" / "abi", ROOT / "tests" / "data" / "contracts"])
HOME_CHAIN_ID, FOREIGN_CHAIN_ID = 417_001, 417_003
MODEL, RUN, CARD, DECISION = (bytes([number]) * 32 for number in (1, 2, 3, 4))
# The other handlers want rows of members, which this consortium of two contracts has not got.
OF_PEERS = {
    name: [one for one in handlers if one.one is not None and one.one.__module__ == "training.registry.foreign"]
    for name, handlers in _HANDLERS.items()
}

pytestmark = [pytest.mark.services, pytest.mark.usefixtures("system", "handlers")]


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Anvil, Anvil]]:
    home = Anvil(tmp_path_factory.mktemp("home"), chain_id=HOME_CHAIN_ID).start()
    foreign = Anvil(tmp_path_factory.mktemp("foreign"), chain_id=FOREIGN_CHAIN_ID).start()
    yield home, foreign
    home.stop()
    foreign.stop()


@pytest.fixture
def home(nodes: tuple[Anvil, Anvil], world: Any) -> Network:
    """Our consortium; its governance is the test's account, so that no vote is needed here."""
    network = Network(Gateway([nodes[0].url], chain_id=HOME_CHAIN_ID, artifacts=ARTIFACTS))
    relay = network.relay.address
    source = network.deploy("ValidatorSource", 1, relay, relay, [relay])
    founder = {
        **{"id": uuid_to_bytes32(uuid.uuid4()), "voteKey": Account.create().address},
        **{"siteKey": Account.create().address, "validator": relay, "profile": bytes([6]) * 32},
    }
    given = ([founder], [RULE] * 4, PARAMETERS, bytes([5]) * 32, [bytes([7]) * 32])
    registry = network.deploy("ConsortiumRegistry", relay, source, *given)
    network.deploy("CrossConsortiumInbox", registry)
    for name, address in network.addresses.items():
        ContractDeployment.objects.create(
            consortium_id=world.consortium.pk, name=name, address=address, block=0, schema=ARTIFACTS[name].schema
        )
    return network


class Foreign:
    """The other consortium: four validators, a fifth to come, and a model of which it decides."""

    def __init__(self, node: Anvil) -> None:
        self.gateway = EvidenceGateway([node.url], chain_id=FOREIGN_CHAIN_ID, artifacts=ARTIFACTS)
        self.network = Network(self.gateway)
        self.site, self.sealers = Account.create(), validators(5)
        neighbors = self.network.deploy("Neighbors", uuid_to_bytes32(uuid.uuid4()), self.site.address)
        self.network.deploy("ModelRegistry", neighbors, neighbors, neighbors)
        relay = self.network.relay.address
        self.network.deploy("ValidatorSource", 4, relay, relay, self.members(4))
        self.chain = SealedChain(self.gateway, self.sealers[:4])

    def members(self, count: int) -> list[str]:
        return [account.address for account in self.sealers[:count]]

    def anchor(self) -> Anchor:
        height = self.gateway.head().number
        addresses = self.network.addresses
        return Anchor(
            FOREIGN_CHAIN_ID,
            addresses["ModelRegistry"],
            addresses["ValidatorSource"],
            height,
            self.chain.hash(height),
            set_digest(self.members(4)),
        )

    def register(self) -> None:
        domain = Domain("ModelRegistry", FOREIGN_CHAIN_ID, self.network.addresses["ModelRegistry"])
        digest = typed_hash(domain, "RegisterCandidate", {"model": MODEL, "run": RUN, "card": CARD})
        signature = sign_digest(digest, bytes(self.site.key))
        self.network.transact("ModelRegistry", "registerCandidate", MODEL, RUN, CARD, signature)

    def release(self) -> bytes:
        return self.network.transact("ModelRegistry", "release", MODEL, DECISION).transaction_hash

    def let_the_fifth_in(self) -> None:
        """From the next block on five seal, and four of them are enough."""
        changed = self.network.transact("ValidatorSource", "replaceValidators", self.members(5)).block_number
        self.chain.told = dict.fromkeys(range(changed + 1), self.sealers[:4])
        self.chain.sealers = self.sealers[:5]


@pytest.fixture
def foreign(nodes: tuple[Anvil, Anvil]) -> Foreign:
    return Foreign(nodes[1])


@pytest.fixture
def command(home: Network, foreign: Foreign, world: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """`chain peer ACT ...` against the two nodes; the foreign one is seen as a QBFT network would show it."""
    monkeypatch.setattr(peer, "chain_from_settings", lambda: home.gateway)
    monkeypatch.setattr(peer, "foreign_chain", lambda _options, _anchor: foreign.chain)
    file = tmp_path / "anchor.json"
    file.write_text(anchor_text(foreign.anchor()))

    def run(act: str, *options: str) -> str:
        written = io.StringIO()
        given = ["--consortium", str(world.consortium.pk), "--anchor", str(file), *options]
        call_command("chain", "peer", act, *given, stdout=written)
        return written.getvalue()

    return run


def dispatch(home: Network) -> None:
    """Until nothing is under way: the order of one consortium's calls is kept."""
    dispatcher, deadline = Dispatcher(home.gateway, Relay(Account.create())), time.monotonic() + 20
    while OutboxTransaction.objects.filter(state__in=["recorded", "submitted"]).exists():
        dispatcher.dispatch_once()
        assert time.monotonic() < deadline


def known(home: Network, anchor: Anchor) -> Any:
    return home.gateway.call(home.reference("CrossConsortiumInbox"), "foreignModelOf", anchor.peer, MODEL)


def test_a_release_is_carried_over_and_with_it_the_changes_of_validators_before_it(home, foreign, command):
    anchor = foreign.anchor()
    home.transact("ConsortiumRegistry", "setPeer", anchor.peer, True)
    assert command("open") == "open: recorded\n"
    dispatch(home)
    foreign.register()
    foreign.let_the_fifth_in()
    released = foreign.release()

    text = command("deliver", "--transaction", "0x" + released.hex())
    dispatch(home)

    assert text.split("\n") == ["advance: recorded", "deliver: recorded", ""]
    assert known(home, anchor)["state"] == 1
    assert set(OutboxTransaction.objects.values_list("state", flat=True)) == {"confirmed"}
    assert command("deliver", "--transaction", "0x" + released.hex()).count("confirmed") >= 1


def test_an_event_older_than_what_is_proven_is_linked_to_it(home, foreign, command):
    anchor = foreign.anchor()
    home.transact("ConsortiumRegistry", "setPeer", anchor.peer, True)
    command("open")
    dispatch(home)
    foreign.register()
    released = foreign.release()
    foreign.let_the_fifth_in()
    recalled = foreign.network.transact("ModelRegistry", "recall", MODEL, DECISION).transaction_hash

    command("deliver", "--transaction", "0x" + recalled.hex())
    dispatch(home)
    assert known(home, anchor)["state"] == 2
    command("deliver", "--transaction", "0x" + released.hex())
    dispatch(home)

    # It was linked and proven, and a recall stays one.
    last = OutboxTransaction.objects.latest("position")
    assert (last.state, last.error_code) == ("failed", "InboxNothingNew")
    assert known(home, anchor)["state"] == 2


def test_what_was_refused_is_asked_again_with_its_reason_and_then_stands(home, foreign, command):
    anchor = foreign.anchor()
    home.transact("ConsortiumRegistry", "setPeer", anchor.peer, True)
    command("open")
    dispatch(home)
    foreign.register()
    foreign.let_the_fifth_in()
    deliver = ("deliver", "--transaction", "0x" + foreign.release().hex())
    home.transact("ConsortiumRegistry", "setPeer", anchor.peer, False)
    assert command(*deliver) == "advance: recorded\ndeliver: recorded\n"
    dispatch(home)
    assert known(home, anchor)["state"] == 0

    home.transact("ConsortiumRegistry", "setPeer", anchor.peer, True)
    first, second = command(*deliver).splitlines()
    dispatch(home)

    assert first.startswith("advance: recorded, asked again; before: InboxNotAPeer: ")
    assert second.startswith("deliver: recorded, asked again; before: InboxNotAPeer: ")
    assert known(home, anchor)["state"] == 1
    states = OutboxTransaction.objects.order_by("position").values_list("function", "state")
    assert list(states) == [
        *(("open", "confirmed"), ("advance", "failed"), ("deliver", "failed")),
        *(("advance", "confirmed"), ("deliver", "confirmed")),
    ]
    assert "asked again" not in command(*deliver)
    assert OutboxTransaction.objects.count() == 5


def differing() -> set[str]:
    """Tables that a replay finds different; this world's members came by no event."""
    return {one.table for one in replay().differences} - {"membership_membership"}


def test_what_was_delivered_stands_in_our_rows_and_a_replay_finds_them_equal(
    home, foreign, command, world, monkeypatch
):
    monkeypatch.setattr("contracts.projections._HANDLERS", OF_PEERS)
    anchor = foreign.anchor()
    home.transact("ConsortiumRegistry", "setPeer", anchor.peer, True)
    command("open")
    dispatch(home)
    foreign.register()
    foreign.let_the_fifth_in()
    command("deliver", "--transaction", "0x" + foreign.release().hex())
    dispatch(home)
    with transaction.atomic():
        start_projection(world.consortium.pk)
    while project_once(home.gateway).applied:
        pass

    model = ForeignModel.objects.select_related("peer").get()
    assert (model.digest, model.state, model.counts) == ("sha256:" + MODEL.hex(), "released", True)
    peer = (model.peer.peer, int(model.peer.chain_id or 0), model.peer.proven_validators)
    assert peer == ("0x" + anchor.peer.hex(), FOREIGN_CHAIN_ID, "0x" + set_digest(foreign.members(5)).hex())
    assert differing() == set(), replay().in_words()
    ForeignModel.objects.update(state="recalled")
    assert differing() == {"training_foreignmodel"}


def test_what_the_inbox_holds_already_is_not_asked_again(home, foreign, command):
    home.transact("ConsortiumRegistry", "setPeer", foreign.anchor().peer, True)
    home.transact("CrossConsortiumInbox", "open", foreign.anchor().struct)
    command("open")
    dispatch(home)

    assert "InboxPeerKnown" in (said := command("open"))
    assert "not asked again" in said
    assert OutboxTransaction.objects.count() == 1


def test_what_is_under_way_is_asked_once_though_another_node_shows_other_seals(home, foreign, command):
    home.transact("ConsortiumRegistry", "setPeer", foreign.anchor().peer, True)
    command("open")
    dispatch(home)
    foreign.register()
    deliver = ("deliver", "--transaction", "0x" + foreign.release().hex())
    command(*deliver)
    foreign.chain.sealers = foreign.sealers[1:4]

    assert command(*deliver) == "deliver: recorded\n"
    assert OutboxTransaction.objects.count() == 2


def test_without_a_vote_nothing_is_opened_and_without_opening_nothing_delivered(home, foreign, command):
    foreign.register()
    with pytest.raises(CommandError, match="set_peer"):
        command("open")
    with pytest.raises(CommandError, match="not open here"):
        command("deliver", "--transaction", "0x" + foreign.release().hex())

    assert not OutboxTransaction.objects.exists()


@pytest.mark.parametrize(
    ("options", "words"),
    [((), "64 hexadecimal digits"), (("--transaction", "0x" + "11" * 32), "does not have this transaction")],
)
def test_a_transaction_that_is_none_is_refused(home, foreign, command, options, words):
    home.transact("ConsortiumRegistry", "setPeer", foreign.anchor().peer, True)
    command("open")
    dispatch(home)

    with pytest.raises(CommandError, match=words):
        command("deliver", *options)
    assert OutboxTransaction.objects.count() == 1


def test_a_transaction_without_an_event_of_its_models_is_refused(home, foreign, command):
    home.transact("ConsortiumRegistry", "setPeer", foreign.anchor().peer, True)
    command("open")
    dispatch(home)
    other = foreign.network.transact("ValidatorSource", "replaceValidators", foreign.members(5)).transaction_hash

    with pytest.raises(CommandError, match="no event of the other consortium's ModelRegistry"):
        command("deliver", "--transaction", "0x" + other.hex())
    assert OutboxTransaction.objects.count() == 1


def test_our_own_anchor_is_printed_for_the_others(foreign, world, monkeypatch):
    for name in ("ModelRegistry", "ValidatorSource"):
        ContractDeployment.objects.create(
            consortium_id=world.consortium.pk, name=name, address=foreign.network.addresses[name], block=0
        )
    monkeypatch.setattr("contracts.reading.evidence.evidence_from_settings", lambda: foreign.gateway)
    written, height = io.StringIO(), foreign.gateway.head().number

    call_command("chain", "peer", "anchor", "--consortium", str(world.consortium.pk), stdout=written)

    addresses = foreign.network.addresses
    told = parse_anchor(written.getvalue().encode())
    assert told == anchor_at(
        foreign.gateway, models=addresses["ModelRegistry"], source=addresses["ValidatorSource"], height=height
    )
    assert told.validators == set_digest(foreign.members(4))


def test_an_anchors_file_that_was_changed_is_refused(foreign):
    document = json.loads(anchor_text(foreign.anchor()))
    for changed in ({"height": 5}, {"peer": "0x" + "00" * 32}, {"more": 1}, {"height": True}, {"validators": "0x12"}):
        with pytest.raises(Exception, match="anchor"):
            parse_anchor(json.dumps(document | changed).encode())
