"""Witnesses co-sign, and a checkpoint with enough of them is sent to the chain once."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.log.anchors import anchor_due, anchored_roots, enqueue_anchor, settle_anchor
from audit.log.checkpoints import sign_checkpoint
from audit.log.cosignatures import checkpoint_digest, cosign
from audit.log.errors import CosignatureError
from audit.models import Anchor, Checkpoint, Cosignature
from consortium.common.tenancy import act_for
from consortium.kernel.eip712 import Domain
from consortium.kernel.errors import InvalidSignatureError
from consortium.kernel.identifiers import uuid_to_bytes32
from consortium.kernel.secp256k1 import address_of, sign_digest
from contracts.events import ChainEvent
from contracts.models import ChainEventRecord, OutboxTransaction

DOMAIN = Domain("AuditAnchor", 417_001, "0x" + "55" * 20)
HOSPITAL_KEY, BANK_KEY = bytes([1] * 32), bytes([2] * 32)


@pytest.fixture
def checkpoint(filled, as_system) -> Checkpoint:
    log = filled(5)
    with as_system():
        return sign_checkpoint(log)


def witness(checkpoint: Checkpoint, organization, key: bytes, **changes) -> Cosignature:
    with act_for(organization_id=organization.pk):
        arguments = {
            "organization_id": organization.pk,
            "site_key": address_of(key),
            "signature": sign_digest(checkpoint_digest(checkpoint, DOMAIN), key),
            "domain": DOMAIN,
        }
        return cosign(checkpoint, **arguments | changes)


@pytest.fixture
def cosigned(world, checkpoint) -> Checkpoint:
    witness(checkpoint, world.hospital, HOSPITAL_KEY)
    witness(checkpoint, world.bank, BANK_KEY)
    return checkpoint


def test_a_witness_cosigns_once_however_often_it_sends(world, checkpoint):
    assert witness(checkpoint, world.hospital, HOSPITAL_KEY) == witness(checkpoint, world.hospital, HOSPITAL_KEY)
    with act_for(organization_id=world.hospital.pk):
        assert [row.signer for row in Cosignature.objects.all()] == [address_of(HOSPITAL_KEY)]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"site_key": address_of(BANK_KEY)}, CosignatureError),
        ({"signature": bytes(65)}, InvalidSignatureError),
        ({"signature": b""}, InvalidSignatureError),
        ({"domain": Domain("AuditAnchor", 1, DOMAIN.contract)}, CosignatureError),
        ({"domain": Domain("AuditAnchor", 417_001, "0x" + "56" * 20)}, CosignatureError),
    ],
    ids=["other key", "zeros", "empty", "other chain", "other contract"],
)
def test_a_signature_that_is_not_by_the_site_key_here_is_refused(world, checkpoint, changes, error):
    with pytest.raises(error):
        witness(checkpoint, world.hospital, HOSPITAL_KEY, **changes)
    with act_for(organization_id=world.hospital.pk):
        assert not Cosignature.objects.exists()


def test_a_second_key_of_the_same_witness_is_refused(world, checkpoint):
    witness(checkpoint, world.hospital, HOSPITAL_KEY)
    with pytest.raises(CosignatureError, match="another key"):
        witness(checkpoint, world.hospital, BANK_KEY)


def test_below_the_quorum_nothing_is_sent(world, checkpoint, as_system):
    witness(checkpoint, world.hospital, HOSPITAL_KEY)
    with as_system():
        with pytest.raises(CosignatureError, match="has 1 co-signatures"):
            enqueue_anchor(checkpoint, quorum=2)
        assert anchor_due(checkpoint.consortium_id, quorum=2) == []
        assert not OutboxTransaction.objects.exists()
        assert not Anchor.objects.exists()


def test_at_the_quorum_the_contract_is_called_once(world, cosigned, as_system):
    with as_system():
        first = enqueue_anchor(cosigned, quorum=2)
        assert enqueue_anchor(cosigned, quorum=2) == first
        sent = OutboxTransaction.objects.get()
        assert (sent.contract, sent.function, sent.state) == ("AuditAnchor", "anchor", "recorded")
        name, size, root, witnesses = sent.values
        assert (name, size, root) == (cosigned.name_on_chain, 5, bytes(cosigned.root))
        signed = {row.organization_id: bytes(row.signature) for row in cosigned.cosignatures.all()}
        assert witnesses == [
            {"organization": uuid_to_bytes32(organization), "signature": signed[organization]}
            for organization in sorted(signed)
        ]
        assert set(signed) == {world.hospital.pk, world.bank.pk}


def test_a_witness_that_comes_later_does_not_change_what_was_sent(world, cosigned, as_system):
    with as_system():
        enqueue_anchor(cosigned, quorum=2)
    with as_system():
        Cosignature.objects.create(
            checkpoint=cosigned, organization_id=world.outsider.pk, signer="0x" + "33" * 20, signature=bytes(65)
        )
        enqueue_anchor(cosigned, quorum=2)
        assert len(OutboxTransaction.objects.get().values[3]) == 2


def test_only_a_logs_last_checkpoint_is_due(world, cosigned, filled, as_system):
    log = filled(2)
    with as_system():
        newer = sign_checkpoint(log)
    witness(newer, world.hospital, HOSPITAL_KEY)
    witness(newer, world.bank, BANK_KEY)
    with as_system():
        assert [anchor.checkpoint for anchor in anchor_due(cosigned.consortium_id, quorum=2)] == [newer]
        assert anchor_due(cosigned.consortium_id, quorum=2) == []


@pytest.mark.parametrize(
    ("state", "seconds", "is_asked"), [("confirmed", 60, False), ("confirmed", 0, True), ("failed", 60, True)]
)
def test_a_log_that_was_anchored_a_moment_ago_waits_if_the_operator_says_so(
    filled, world, cosigned, as_system, settings, state, seconds, is_asked
):
    with as_system():
        enqueue_anchor(cosigned, quorum=2)
        Anchor.objects.update(chain_state=state)
    log = filled(2)
    with as_system():
        newer = sign_checkpoint(log)
    witness(newer, world.hospital, HOSPITAL_KEY)
    witness(newer, world.bank, BANK_KEY)
    settings.AUDIT_ANCHOR_SECONDS = seconds
    with as_system():
        asked = anchor_due(cosigned.consortium_id, quorum=2)
        assert [anchor.checkpoint for anchor in asked] == [newer] * is_asked
        Anchor.objects.filter(checkpoint=cosigned).update(created_at=timezone.now() - timedelta(seconds=61))
        again = anchor_due(cosigned.consortium_id, quorum=2)
        assert [anchor.checkpoint for anchor in again] == [newer] * (not is_asked)


@pytest.mark.parametrize("state", ["confirmed", "failed"])
def test_the_outcome_is_written_down(cosigned, as_system, state):
    with as_system():
        enqueue_anchor(cosigned, quorum=2)
        sent = OutboxTransaction.objects.get()
        sent.state, sent.block, sent.transaction_hash = state, 12, "0x" + "77" * 32
        settle_anchor(sent)
        anchor = Anchor.objects.get()
        assert (anchor.chain_state, anchor.confirmed_block, anchor.transaction_hash) == (state, 12, "0x" + "77" * 32)


def anchored(checkpoint: Checkpoint, block: int, **changes) -> ChainEventRecord:
    arguments = {"log": checkpoint.name_on_chain, "size": checkpoint.size, "root": bytes(checkpoint.root)}
    event = ChainEvent(
        name="CheckpointAnchored",
        contract="AuditAnchor",
        address="0x" + "55" * 20,
        arguments=arguments | {"witnesses": []} | changes,
        block_number=block,
        block_hash=bytes(32),
        block_time=1,
        transaction_hash=block.to_bytes(32, "big"),
        log_index=0,
        transaction_log_index=0,
    )
    return ChainEventRecord.of(checkpoint.consortium_id, event)


def test_what_the_chain_holds_of_a_log_is_read_from_its_events(checkpoint, as_system):
    with as_system():
        anchored(checkpoint, 12).save()
        anchored(checkpoint, 13, log=bytes(32)).save()
        (found,) = anchored_roots(checkpoint.log)
    assert (found.size, found.root, found.block) == (5, bytes(checkpoint.root), 12)
