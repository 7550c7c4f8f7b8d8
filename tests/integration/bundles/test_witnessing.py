"""What the platform offers to witnesses, and which signatures it keeps."""

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from django.db import connection

from audit.log.cosignatures import checkpoint_digest
from audit.log.integration import integrate_all
from audit.log.quorums import witness_quorum
from audit.models import Anchor, Checkpoint, Cosignature, WitnessRule
from consortium.common.tenancy import act_for
from consortium.kernel.checkpoints import open_checkpoint
from consortium.kernel.eip712 import Domain
from consortium.kernel.identifiers import to_hex
from consortium.kernel.merkle_proofs import verify_consistency
from consortium.kernel.notes import NoteKey
from consortium.kernel.secp256k1 import sign_digest
from consortium.membership.models import Membership
from contracts.events import ChainEvent
from contracts.models import ChainEventRecord, OutboxTransaction
from contracts.projections import Heard, handle
from tests.integration.audit.conftest import superuser
from tests.integration.audit.test_walls import logged_out
from tests.integration.bundles.conftest import witnessed

pytestmark = pytest.mark.usefixtures("contract")


def offers(site) -> list[dict[str, Any]]:
    answer = site.get("checkpoints")
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def grow(act, keep, times: int = 1) -> Checkpoint:
    for fence in range(times):
        act(fence)
    return keep()


def test_a_first_time_witness_is_shown_the_last_checkpoint_alone(sites, act, keep, world):
    grow(act, keep, 2)
    last = sign_anew(act, keep, sites)

    (offer,) = offers(sites["hospital"])

    assert (offer["since"], offer["consortium"]) == (0, str(world.consortium.pk))
    assert [step["size"] for step in offer["steps"]] == [last.size]
    checkpoint, _ = open_checkpoint(offer["steps"][0]["note"], NoteKey.parse(offer["key"]))
    assert (checkpoint.origin, to_hex(checkpoint.root)) == (offer["origin"], offer["steps"][0]["root"])


def sign_anew(act, keep, sites) -> Checkpoint:
    """Another checkpoint, although the last one has no witness yet: they were given their time."""
    with pytest.MonkeyPatch().context() as impatient:
        impatient.setattr("audit.log.pacing.PATIENCE", timedelta())
        return grow(act, keep)


def test_a_witness_is_led_from_its_last_checkpoint_by_proofs(sites, contract, act, keep):
    first = grow(act, keep, 3)
    witnessed(sites["hospital"], contract)
    second, third = (sign_anew(act, keep, sites) for _ in range(2))

    (offer,) = offers(sites["hospital"])

    steps = offer["steps"]
    assert [step["size"] for step in steps] == [first.size, second.size, third.size]
    for earlier, later in pairwise(steps):
        assert later["previous_size"] == earlier["size"]
        verify_consistency(
            first=earlier["size"],
            second=later["size"],
            first_root=bytes.fromhex(earlier["root"][2:]),
            second_root=bytes.fromhex(later["root"][2:]),
            proof=[bytes.fromhex(value[2:]) for value in later["proof"]],
        )


def test_a_witness_may_name_the_size_that_it_signed_last(sites, contract, act, keep):
    first = grow(act, keep, 3)
    second = sign_anew(act, keep, sites)
    log = offers(sites["bank"])[0]["log"]

    def ask(name: str, size: int):
        return sites[name].get(f"checkpoints?log={log}&size={size}")

    (way,) = ask("bank", first.size).json()["results"]
    assert (way["since"], [step["size"] for step in way["steps"]]) == (first.size, [first.size, second.size])
    assert ask("bank", first.size + 100).status_code == 404
    assert ask("outsider", first.size).status_code == 404
    assert sites["bank"].get(f"checkpoints?log={log}&size=-1").status_code == 400


def test_what_is_cosigned_is_offered_no_more(sites, contract, act, keep, world):
    checkpoint = grow(act, keep)

    assert witnessed(sites["hospital"], contract) == [checkpoint.size]

    assert offers(sites["hospital"]) == []
    assert len(offers(sites["bank"])) == 1
    with act_for(organization_id=world.bank.pk):
        (kept,) = Cosignature.objects.all()
    assert (kept.organization_id, kept.signer) == (world.hospital.pk, sites["hospital"].address)


def test_a_witness_follows_another_members_private_log_and_reads_nothing_of_it(sites, contract, keep, world, as_system):
    with act_for(organization_id=world.bank.pk):
        private = logged_out(world.bank).log
    keep()

    (offer,) = offers(sites["hospital"])

    assert (offer["origin"], offer["consortium"]) == (private.origin, str(world.consortium.pk))
    assert witnessed(sites["hospital"], contract) == [1]
    assert offers(sites["outsider"]) == []


def test_an_outsiders_agent_neither_sees_nor_signs(sites, contract, act, keep, world):
    checkpoint = grow(act, keep)

    answer = sites["outsider"].post(
        f"checkpoints/{checkpoint.pk}/signature", {"signature": "0x" + "11" * 65}, **{"Idempotency-Key": "1"}
    )

    assert offers(sites["outsider"]) == []
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    with act_for(organization_id=world.hospital.pk):
        assert not Cosignature.objects.exists()


@pytest.mark.parametrize(
    ("signature", "code"),
    [("0x" + "00" * 65, "invalid_signature"), ("0x11", "invalid_input"), (None, "cosignature_refused")],
    ids=["no signature", "too short", "by another key"],
)
def test_a_signature_that_is_not_the_sites_is_refused(sites, contract, act, keep, world, signature, code):
    checkpoint = grow(act, keep)
    if signature is None:
        stranger = Domain("AuditAnchor", 417_001, "0x" + "66" * 20)
        signature = signed_for(checkpoint, sites["hospital"], stranger)

    answer = sites["hospital"].post(
        f"checkpoints/{checkpoint.pk}/signature", {"signature": signature}, **{"Idempotency-Key": "1"}
    )

    assert (answer.status_code, answer.json()["code"]) == (400, code)
    with act_for(organization_id=world.hospital.pk):
        assert not Cosignature.objects.exists()


def signed_for(checkpoint, site, domain: Domain) -> str:
    return to_hex(sign_digest(checkpoint_digest(checkpoint, domain), site.key))


def test_a_suspended_member_witnesses_nothing(sites, contract, act, keep, world, as_system):
    checkpoint = grow(act, keep)
    with as_system():
        Membership.objects.filter(organization_id=world.hospital.pk).update(status="suspended")

    answer = sites["hospital"].post(
        f"checkpoints/{checkpoint.pk}/signature",
        {"signature": signed_for(checkpoint, sites["hospital"], contract)},
        **{"Idempotency-Key": "1"},
    )

    assert offers(sites["hospital"]) == []
    assert (answer.status_code, answer.json()["code"]) == (409, "not_a_witness")


def test_a_signature_without_an_idempotency_key_is_refused(sites, act, keep):
    checkpoint = grow(act, keep)
    answer = sites["hospital"].post(f"checkpoints/{checkpoint.pk}/signature", {"signature": "0x" + "11" * 65})
    assert answer.status_code == 400


def test_a_cosignature_leaves_no_record_that_would_need_witnesses_itself(sites, contract, act, keep):
    grow(act, keep)
    for name in ("hospital", "bank"):
        witnessed(sites[name], contract)

    assert keep().size == 1
    assert offers(sites["hospital"]) == []


# -- upkeep


def test_the_next_checkpoint_waits_for_the_last_ones_witnesses(sites, contract, act, keep):
    first = grow(act, keep)
    assert grow(act, keep) == first
    witnessed(sites["hospital"], contract)
    assert keep() == first

    witnessed(sites["bank"], contract)

    assert (first.size, keep().size) == (1, 2)


def test_witnesses_that_do_not_come_hold_a_log_up_for_a_while_only(sites, act, keep, become):
    first = grow(act, keep)
    assert grow(act, keep) == first
    with superuser(become), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_checkpoint SET created_at = created_at - interval '31 seconds'")

    assert keep().size == 2


def test_at_the_quorum_one_anchor_is_asked_for_and_the_next_after_its_answer(sites, contract, act, keep, as_system):
    grow(act, keep)
    witnessed(sites["hospital"], contract)
    keep()
    assert sent(as_system) == []
    witnessed(sites["bank"], contract)
    keep()
    assert sent(as_system) == [1]

    grow(act, keep)
    for name in ("hospital", "bank"):
        witnessed(sites[name], contract)
    keep()
    assert sent(as_system) == [1]
    with as_system():
        Anchor.objects.update(chain_state="confirmed")
    keep()

    assert sent(as_system) == [1, 2]


def sent(as_system) -> list[int]:
    with as_system():
        return [row.values[1] for row in OutboxTransaction.objects.order_by("position")]


def test_a_damaged_log_is_told_of_and_holds_up_no_other(world, sites, act, keep, become, as_system, caplog):
    grow(act, keep)
    with superuser(become), connection.cursor() as cursor:
        cursor.execute("UPDATE audit_treenode SET hash = sha256('other'::bytea)")
        cursor.execute("UPDATE audit_checkpoint SET created_at = created_at - interval '31 seconds'")
    act(2)
    act(1, consortium=world.other_consortium)

    keep()

    with as_system():
        integrate_all()
        assert list(Checkpoint.objects.values_list("size", flat=True)) == [1, 1]
    assert "no longer holds its checkpoint" in caplog.text


# -- the number of witnesses


def parameters_set(quorum: int, block: int) -> ChainEvent:
    return ChainEvent(
        name="ParametersSet",
        contract="ConsortiumRegistry",
        address="0x" + "44" * 20,
        arguments={"parameters": {"witnessQuorum": quorum, "minimumValidators": 4}},
        block_number=block,
        block_hash=bytes(32),
        block_time=1,
        transaction_hash=block.to_bytes(32, "big"),
        log_index=0,
        transaction_log_index=0,
    )


def test_the_members_vote_on_the_number_of_witnesses_is_followed(world, as_system):
    with as_system():
        for quorum, block in ((3, 5), (4, 9)):
            handle(world.consortium.pk, [Heard(parameters_set(quorum, block), None)])
        assert witness_quorum(world.consortium.pk) == 4
        assert witness_quorum(world.other_consortium.pk) is None
        ChainEventRecord.of(world.other_consortium.pk, parameters_set(2, 3)).save()
        assert witness_quorum(world.other_consortium.pk) == 2
    with act_for(organization_id=world.outsider.pk):
        assert witness_quorum(world.consortium.pk) is None


def test_without_a_number_nothing_is_anchored(world, sites, contract, act, keep, as_system):
    with as_system():
        WitnessRule.objects.all().delete()
    grow(act, keep)
    for name in ("hospital", "bank"):
        witnessed(sites[name], contract)
    keep()

    assert sent(as_system) == []
