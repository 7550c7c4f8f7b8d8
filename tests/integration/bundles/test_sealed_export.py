"""On a network whose validators seal its blocks: proofs are kept when blocks are seen, and exported when needed."""

import io
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from agent.chain import Consortium
from agent.names import NameBook
from agent.trust_file import trust_file
from agent.witness_book import Seen
from audit.bundles.storage import bundle_path
from audit.bundles.trust import export_trust
from audit.log.keys import key_path, read_key, verifier_of
from audit.models import AuditLog, Bundle, Checkpoint
from consortium.common.tenancy import act_for
from consortium.kernel.canonical import canonical_json
from contracts import health
from contracts.gateway import Gateway
from contracts.management.subcommands import proofs as command
from contracts.models import BlockProof, ChainCursor, ChainEventRecord, ContractDeployment
from contracts.network.predeployed import SOURCE_ADDRESS
from contracts.projector import project_once
from contracts.reading.evidence import EvidenceGateway
from contracts.reading.proof_keeping import sweep_proofs
from tests.chain.sealed_node import SealedNode
from tests.integration.bundles.conftest import ask_for_bundle, make
from tests.integration.bundles.networks import found_on
from tests.integration.bundles.sealed_world import CHAIN_ID, SealedWorld, proofs, retry_now, sealed_world
from tests.integration.bundles.test_tampering import entries, flipped, resealed
from tests.integration.bundles.verifying import Answer, verify

pytestmark = pytest.mark.services
PROOF_METHODS = {"eth_getProof", "eth_getBlockReceipts"}
CHAIN_FILES = ("chain/anchors.json", "chain/blocks.json", "chain/receipts.json")


@pytest.fixture
def sealed(tmp_path: Path, world, sites, as_system, settings) -> Iterator[SealedWorld]:
    """The hospital and the bank share a consortium there."""
    settings.CHAIN_ID = CHAIN_ID
    folder = tmp_path / "network"
    folder.mkdir()
    with sealed_world(folder) as made:
        with as_system():
            made.found(world.consortium.pk, [sites["hospital"], sites["bank"]])
        yield made


@pytest.fixture
def anchor(sealed: SealedWorld, act, keep, as_system) -> Callable[[], None]:
    return lambda: sealed.anchor(act, keep, as_system)


def export(world, sealed: SealedWorld, gateway: EvidenceGateway | None = None) -> Bundle:
    return make(ask_for_bundle(world), gateway or sealed.chain.gateway)


def judged(world, sealed: SealedWorld, bundle: Bundle, folder: Path, data: bytes | None = None) -> Answer:
    """What a stranger is told who knows the validators' contract."""
    with act_for(organization_id=world.bank.pk):
        trust = export_trust(world.consortium.pk, chain=sealed.chain.gateway)
    assert trust["chain"]["validators"] == {"address": SOURCE_ADDRESS, "slot": 1}
    return verify(bundle_path(bundle.pk).read_bytes() if data is None else data, trust, folder)


def read_on(sealed: SealedWorld, as_system) -> None:
    with as_system():
        project_once(sealed.chain.gateway)


def test_anchors_and_changes_of_the_validators_are_proven_by_their_seals(world, sealed, anchor, as_system, tmp_path):
    anchor()
    changes = [sealed.replace_validators(0, 1, 2), sealed.replace_validators(1, 2)]
    anchor()

    bundle = export(world, sealed)
    assert (bundle.state, bundle.error_text) == ("ready", "")

    answer = judged(world, sealed, bundle, tmp_path)
    assert (answer.verdict, answer.refusals) == ("verified", [])
    assert any("2 of 2 anchors lie in blocks proven by the validators' seals" in text for text in answer.checked)
    assert any("2 of 2 anchors' events are proven to lie in their blocks" in text for text in answer.checked)
    assert any("over 2 changes of their set; after the last 2 of 2 are a quorum" in text for text in answer.checked)
    assert not any("exporter's node" in text for text in answer.unchecked)
    with as_system():
        assert set(changes) | {0} < set(proofs())


def test_one_flipped_byte_of_any_file_of_the_chain_is_refused_with_the_reason(world, sealed, anchor, tmp_path):
    anchor()
    bundle = export(world, sealed)
    files = entries(bundle_path(bundle.pk).read_bytes())

    for name in CHAIN_FILES:
        at = files[name].rindex(b'"0x') + 10
        digit = files[name][at : at + 1]
        other = b"0" if digit != b"0" else b"1"
        changed = {**files, name: files[name][:at] + other + files[name][at + 1 :]}
        answer = judged(world, sealed, bundle, tmp_path, resealed(changed, read_key(key_path())))
        assert answer.verdict == "refused", name
        assert any(place.startswith(name) for place in answer.places), (name, answer.refusals)
        assert all(refusal["reason"] for refusal in answer.refusals)
    blunt = {**files, CHAIN_FILES[1]: flipped(files[CHAIN_FILES[1]], 5)}
    assert judged(world, sealed, bundle, tmp_path, resealed(blunt, read_key(key_path()))).verdict == "refused"


def test_a_bundle_without_its_seals_is_refused_by_who_knows_the_validators_contract(world, sealed, anchor, tmp_path):
    anchor()
    bundle = export(world, sealed)
    files = entries(bundle_path(bundle.pk).read_bytes())
    del files["chain/blocks.json"]

    answer = judged(world, sealed, bundle, tmp_path, resealed(files, read_key(key_path())))

    assert answer.verdict == "refused"
    assert any("no sealed blocks" in refusal["reason"] for refusal in answer.refusals)


def test_what_was_captured_is_exported_after_the_nodes_pruned_it(world, sealed, anchor, tmp_path):
    anchor()
    sealed.replace_validators(0, 1, 2)
    anchor()
    sealed.node.states_from = sealed.chain.gateway.head().number
    sealed.node.refused = PROOF_METHODS

    bundle = export(world, sealed)

    assert (bundle.state, bundle.error_text) == ("ready", "")
    assert judged(world, sealed, bundle, tmp_path).verdict == "verified"


def test_a_node_that_cannot_prove_stops_no_stream_and_the_missing_block_is_named(
    world, sealed, anchor, as_system, tmp_path
):
    anchor()
    sealed.node.refused = {"eth_getProof"}
    anchor()

    head = sealed.chain.gateway.head().number
    with as_system():
        assert ChainCursor.objects.get().position == head
        missing = BlockProof.objects.get(captured_at__isnull=True)
        assert missing.missing_text
    bundle = export(world, sealed)
    assert (bundle.state, bundle.error_code) == ("requested", "evidence_missing")
    assert f"1 blocks yet: {missing.block_number}." in bundle.error_text
    assert "manage.py chain proofs" in bundle.error_text

    sealed.node.refused = set()
    with as_system():
        assert sweep_proofs(sealed.chain.gateway).captured == 0, "its pause has not passed"
        retry_now()
        assert sweep_proofs(sealed.chain.gateway).captured == 1
    assert judged(world, sealed, make(bundle, sealed.chain.gateway), tmp_path).verdict == "verified"


def test_what_one_node_pruned_is_taken_from_another(world, sealed, anchor, as_system, tmp_path):
    sealed.node.states_from = 1_000
    anchor()
    with as_system():
        assert "World state" in BlockProof.objects.exclude(captured_at__isnull=False).get().missing_text
        retry_now()
        with SealedNode(sealed.node.anvil, SOURCE_ADDRESS, sealed.keys) as archive:
            both = EvidenceGateway([sealed.node.url, archive.url], chain_id=CHAIN_ID)
            assert sweep_proofs(both).captured == 1
            assert "eth_getProof" in archive.methods
    assert judged(world, sealed, export(world, sealed), tmp_path).verdict == "verified"


def test_a_node_that_shows_no_seals_gives_nothing_that_is_kept(sealed, anchor, as_system):
    sealed.node.refused = {"eth_getProof"}
    anchor()
    with as_system():
        retry_now()
        both = EvidenceGateway([sealed.node.url, sealed.node.anvil.url], chain_id=CHAIN_ID)
        assert sweep_proofs(both).captured == 0
        missing = BlockProof.objects.get(captured_at__isnull=True)
        assert "extraData is not QBFT's" in missing.missing_text
        assert missing.header == {}


def test_events_that_are_read_late_from_a_pruned_node_are_read_all_the_same(sealed, act, keep, anchor, as_system):
    anchor()
    changed = sealed.replace_validators(0, 1, 2)
    sealed.node.anvil.ask("anvil_mine", "0x3")
    sealed.node.states_from = head = sealed.chain.gateway.head().number
    read_on(sealed, as_system)

    with as_system():
        assert ChainCursor.objects.get().position == head
        assert ChainEventRecord.objects.filter(name="ValidatorsReplaced", block_number=changed).exists()
        assert proofs()[changed].captured_at is None
        assert all(proof.captured_at for number, proof in proofs().items() if number != changed)


def test_a_window_that_is_read_again_changes_nothing_that_is_kept(world, sealed, anchor, as_system):
    anchor()
    with as_system():
        before = {number: proof.captured_at for number, proof in proofs().items()}
        ChainCursor.objects.update(position=-1, block_hash=b"")
        project_once(sealed.chain.gateway)
        assert {number: proof.captured_at for number, proof in proofs().items()} == before


def test_without_an_anchor_block_0_alone_is_shown(world, sealed, act, keep, tmp_path):
    act(1)
    keep()
    sealed.replace_validators(0, 1, 2)

    bundle = export(world, sealed)
    files = entries(bundle_path(bundle.pk).read_bytes())

    assert [block["header"]["number"] for block in json.loads(files["chain/blocks.json"])["blocks"]] == ["0x00"]
    assert json.loads(files["chain/receipts.json"]) == {"receipts": []}
    assert judged(world, sealed, bundle, tmp_path).refusals == []


def test_a_consortium_whose_validators_list_is_not_the_networks_claims_no_seals(
    world, sealed, act, keep, as_system, tmp_path
):
    """A second consortium of a network has a list of its own, which nobody seals by."""
    with as_system():
        for model in (BlockProof, ChainCursor, ChainEventRecord, ContractDeployment):
            model.objects.all().delete()
        members = [str(key.address) for key in sealed.keys[:2]]
        relay = sealed.network.relay.address
        sealed.network.deploy("ValidatorSource", 1, relay, relay, members)
        sealed.chain = found_on(sealed.network, world.consortium.pk, sealed.sites, validators=members)
    sealed.anchor(act, keep, as_system)
    with as_system():
        assert 0 not in proofs()
    bundle = export(world, sealed)
    files = entries(bundle_path(bundle.pk).read_bytes())
    with act_for(organization_id=world.bank.pk):
        trust = export_trust(world.consortium.pk, chain=sealed.chain.gateway)

    answer = verify(bundle_path(bundle.pk).read_bytes(), trust, tmp_path)

    assert "chain/blocks.json" not in files
    assert "validators" not in trust["chain"]
    assert (answer.verdict, answer.refusals) == ("verified", [])
    assert any("1 of 1 anchors' events are proven" in text for text in answer.checked)
    assert any("the bundle has no sealed blocks" in text for text in answer.unchecked)


def test_a_member_names_the_validators_contract_from_its_own_node(world, sealed, anchor, as_system, tmp_path):
    anchor()
    bundle = export(world, sealed)
    with as_system():
        contracts = {row.name: row.address for row in ContractDeployment.objects.all()}
        log = AuditLog.objects.of(consortium_id=world.consortium.pk)
        last = Checkpoint.objects.filter(log=log).latest("size")
        seen = Seen(verifier_of(log), last.size, bytes(last.root))
    own = Gateway([sealed.node.url], chain_id=CHAIN_ID)
    home = Consortium(world.consortium.pk, "shared", CHAIN_ID, contracts)

    trust = trust_file(own, home, seen, NameBook(world.bank.pk, "Bank"), pin_log=False)

    assert trust["chain"] == {
        "chain_id": CHAIN_ID,
        "genesis": "0x" + sealed.chain.gateway.genesis().hex(),
        "validators": {"address": SOURCE_ADDRESS, "slot": 1},
    }
    assert verify(bundle_path(bundle.pk).read_bytes(), trust, tmp_path).verdict == "verified"


def test_history_from_before_proofs_were_kept_is_captured_once(world, sealed, anchor, as_system, tmp_path):
    anchor()
    with as_system():
        before = set(proofs())
        BlockProof.objects.all().delete()
        assert sweep_proofs(sealed.chain.gateway).captured == 0
        assert sweep_proofs(sealed.chain.gateway, with_history=True).captured == len(before)
        first = {number: proof.captured_at for number, proof in proofs().items()}
        assert set(first) == before
        assert sweep_proofs(sealed.chain.gateway, with_history=True).captured == 0
        assert {number: proof.captured_at for number, proof in proofs().items()} == first
    assert judged(world, sealed, export(world, sealed), tmp_path).verdict == "verified"


def test_block_0_follows_from_the_genesis_file_where_every_node_pruned_it(
    world, sealed, anchor, as_system, tmp_path, monkeypatch
):
    anchor()
    with as_system():
        kept = BlockProof.objects.get(block_number=0)
        BlockProof.objects.filter(block_number=0).delete()
    sealed.node.states_from = 1
    monkeypatch.setattr(command, "chain_from_settings", lambda: sealed.chain.gateway)

    written = io.StringIO()
    with as_system(), pytest.raises(SystemExit):
        call_command("chain", "proofs", stdout=written)
    assert ", 1 are not." in written.getvalue()
    assert "block 0 of consortium" in written.getvalue()
    other = tmp_path / "other.json"
    document = json.loads(sealed.genesis.read_text())
    document["alloc"]["00" * 19 + "99"] = {"balance": "0x1"}
    other.write_bytes(canonical_json(document))
    with as_system(), pytest.raises(CommandError, match="block 0 differs"):
        call_command("chain", "proofs", "--genesis", str(other), stdout=io.StringIO())
    written = io.StringIO()
    with as_system():
        call_command("chain", "proofs", "--genesis", str(sealed.genesis), stdout=written)

    assert ", 0 are not." in written.getvalue()
    with as_system():
        found = BlockProof.objects.get(block_number=0)
    names = ("header", "account_nodes", "digest_nodes", "validators")
    assert [getattr(found, name) for name in names] == [getattr(kept, name) for name in names]
    assert judged(world, sealed, export(world, sealed), tmp_path).verdict == "verified"


def test_a_block_without_such_events_costs_no_question_more(sealed, as_system):
    read_on(sealed, as_system)
    sealed.node.methods.clear()
    sealed.node.anvil.ask("anvil_mine", "0x2")
    read_on(sealed, as_system)

    assert sealed.node.methods
    assert not PROOF_METHODS & set(sealed.node.methods)


def test_a_node_that_shows_another_block_is_not_believed(sealed, anchor, as_system, monkeypatch):
    plain = EvidenceGateway.header
    monkeypatch.setattr(EvidenceGateway, "header", lambda self, number: plain(self, number) | {"gasUsed": "0x07"})
    anchor()

    with as_system():
        missing = BlockProof.objects.get(captured_at__isnull=True)
        assert missing.header == {}
        assert "header" in missing.missing_text


def test_what_is_missing_shows_in_the_health_checks(sealed, anchor, as_system):
    anchor()
    with as_system():
        kept = BlockProof.objects.count()
    found = health.proofs()
    assert (found.well, found.text) == (True, f"The proofs of {kept} blocks are kept.")

    sealed.node.refused = {"eth_getProof"}
    anchor()
    with as_system():
        BlockProof.objects.filter(captured_at__isnull=True).update(created_at="2026-01-02T03:04:05Z")
    found = health.proofs()
    assert not found.well
    assert found.text == f"1 blocks lack their proofs, the first since 2026-01-02 03:04 UTC; {kept} are kept."
    assert "chain proofs" in found.remedy
