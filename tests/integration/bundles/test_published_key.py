"""The public half of the log's key stands beside the checkpoints: whoever reads or tells of it has no private key."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.bundles.trust import export_trust
from audit.log.errors import LogKeyError
from audit.log.keys import published_key, verifier_of
from audit.models import AuditLog, AuditRecord, Checkpoint
from consortium.common.tenancy import act_for
from consortium.kernel.notes import NoteSigner


@pytest.fixture
def signed(act, keep) -> Checkpoint:
    act(1)
    return keep()


@pytest.fixture
def key(signed, as_system) -> str:
    with as_system():
        return str(verifier_of(AuditLog.objects.get(pk=signed.log_id)))


@pytest.fixture
def webs_own(key, settings) -> None:
    """Go on as the web process, which has no key file."""
    settings.LOG_KEY_FILE = ""


def test_pages_prove_a_record_and_agents_witness_without_the_private_key(
    signed, key, contract, sites, login, webs_own, as_system
):
    with as_system():
        record = AuditRecord.objects.filter(log_id=signed.log_id).earliest("recorded_at")
    waiting = sites["hospital"].get("checkpoints").json()["results"]
    proof = login("compliance@hospital").get(f"/audit/records/{record.pk}/proof.json").json()

    assert {item["log"]: item["key"] for item in waiting}[str(signed.log_id)] == key
    assert proof["key"] == key


@pytest.mark.services
def test_the_trust_file_is_made_without_the_private_key(anchored_log, chain, world, as_system, settings):
    with as_system():
        expected = str(verifier_of(anchored_log))
    settings.LOG_KEY_FILE = ""

    with act_for(organization_id=world.bank.pk):
        assert export_trust(world.consortium.pk, chain=chain.gateway)["log"]["key"] == expected


def test_a_key_that_did_not_sign_the_checkpoint_is_not_told(signed, world):
    other = str(NoteSigner(signed.origin, Ed25519PrivateKey.generate()).key)
    with (
        act_for(organization_id=world.hospital.pk),
        pytest.raises(LogKeyError, match="not signed by the key beside it"),
    ):
        published_key(Checkpoint(note=signed.note, key=other))


def test_a_checkpoint_of_an_earlier_release_is_told_of_by_a_newer_one(signed, key, world, webs_own):
    with act_for(organization_id=world.hospital.pk):
        assert str(published_key(Checkpoint(note=signed.note, key=""))) == key
    with act_for(organization_id=world.outsider.pk), pytest.raises(LogKeyError, match="not published yet"):
        published_key(Checkpoint(note=signed.note, key=""))
