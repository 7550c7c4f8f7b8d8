"""What a guardian's veto and an admission that comes too soon make of a proposal that had passed."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.urls import reverse

from audit.acts import Actor
from audit.models import AuditRecord
from consortium.governance.domain.operations import timelock_operation, veto_digest
from consortium.governance.errors import AlreadySignedError, NotGuardianError, NotVetoableError, VetoSignatureError
from consortium.governance.models import Proposal, Veto
from consortium.governance.projections import act_vetoed, guardian_set, progress_outcome
from consortium.governance.selectors import vetoable_by
from consortium.governance.services.progress import MAXIMUM_TRIES, advance
from consortium.governance.services.vetoes import sign, standing
from consortium.kernel.identifiers import uuid_to_bytes32
from consortium.kernel.secp256k1 import address_of, sign_digest
from consortium.membership.models import Organization, OrganizationKey
from contracts.events import ChainEvent
from contracts.models import ContractDeployment, OutboxTransaction
from contracts.values import from_json
from tests.factories.membership import World, make_world
from tests.integration.governance.test_pages import logged_in

GOVERNOR, REGISTRY = "0x" + "6" * 40, "0x" + "7" * 40
EARLIER = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def world(as_system: Any) -> World:
    with as_system():
        made = make_world()
        ContractDeployment.objects.create(
            consortium_id=made.consortium.pk, name="ConsortiumGovernor", address=GOVERNOR, block=1
        )
        return made


def queued(world: World, key: str) -> Proposal:
    call = {"targets": [REGISTRY], "values": [0], "calldatas": ["0x" + "ab" * 36], "description": f"Why {key}"}
    return Proposal.objects.create(
        consortium=world.consortium,
        organization=world.bank,
        contract="ConsortiumGovernor",
        kind="admit",
        chain_key=key,
        state="queued",
        base=2,
        call=call,
        executable_at=EARLIER,
        chain_state="confirmed",
    )


def vetoed(operation: bytes, world: World) -> ChainEvent:
    return ChainEvent(
        name="ActVetoed",
        contract="Guardian",
        address="0x" + "8" * 40,
        arguments={
            "operation": operation,
            "subject": bytes([2]) * 32,
            "guardians": [uuid_to_bytes32(world.bank.pk), uuid_to_bytes32(world.hospital.pk)],
        },
        block_number=50,
        block_hash=bytes([3]) * 32,
        block_time=0,
        transaction_hash=bytes([4]) * 32,
        log_index=0,
        transaction_log_index=0,
    )


def refused(proposal: Proposal, number: int, code: str, text: str) -> OutboxTransaction:
    return OutboxTransaction(
        consortium_id=proposal.consortium_id,
        contract="ConsortiumGovernor",
        function="execute",
        idempotency_key=f"progress:{proposal.pk}:execute:{number}",
        state="failed",
        error_code=code,
        error_text=text,
    )


def test_a_veto_ends_the_proposal_that_waited_and_no_other(world, as_system):
    with as_system():
        meant, other = queued(world, "77"), queued(world, "78")

        act_vetoed(world.consortium.pk, vetoed(timelock_operation(GOVERNOR, meant.call), world))

        meant.refresh_from_db()
        other.refresh_from_db()
        assert (meant.state, meant.settled_block, other.state) == ("canceled", 50, "queued")
        record = AuditRecord.objects.get(action="governance.proposal.veto")
        assert str(world.hospital.pk) in str(record.body)


def test_a_veto_of_something_unknown_changes_nothing(world, as_system):
    with as_system():
        proposal = queued(world, "77")

        act_vetoed(world.consortium.pk, vetoed(bytes([9]) * 32, world))

        proposal.refresh_from_db()
        assert proposal.state == "queued"


def test_an_admission_that_came_too_soon_waits_for_the_time_that_the_contract_named(world, as_system):
    with as_system():
        proposal = queued(world, "77")
        later = datetime(2026, 1, 2, tzinfo=UTC)
        text = f"The contract refuses: GovernorAdmissionTooSoon(notBefore={int(later.timestamp())})."

        progress_outcome(refused(proposal, 0, "GovernorAdmissionTooSoon", text))

        proposal.refresh_from_db()
        assert proposal.executable_at == later
        assert not advance(proposal, EARLIER)


def test_refusals_for_coming_too_soon_use_up_no_tries(world, as_system):
    with as_system():
        proposal = queued(world, "77")
        for number in range(MAXIMUM_TRIES):
            refused(proposal, number, "GovernorAdmissionTooSoon", "").save()

        assert advance(proposal, datetime(2026, 1, 3, tzinfo=UTC))


SECRETS = {"bank": (1).to_bytes(32, "big"), "hospital": (2).to_bytes(32, "big"), "outsider": (3).to_bytes(32, "big")}
GUARDIAN = "0x" + "8" * 40


@pytest.fixture
def guarded(world: World, as_system: Any) -> World:
    """Hospital and bank are the guardian, and both have to sign."""
    with as_system():
        ContractDeployment.objects.create(consortium_id=world.consortium.pk, name="Guardian", address=GUARDIAN, block=1)
        members = (world.hospital, world.bank)
        for place, member in enumerate(members):
            membership = member.memberships.get(consortium=world.consortium)
            OrganizationKey.objects.create(membership=membership, purpose="vote", address=key_of(member))
            guardian_set(world.consortium.pk, appointed(member, place))
    return world


def key_of(member: Organization) -> str:
    return address_of(SECRETS[member.slug])


def appointed(member: Organization, index: int, *, is_appointed: bool = True) -> ChainEvent:
    return ChainEvent(
        name="GuardianSet",
        contract="Guardian",
        address=GUARDIAN,
        arguments={
            "organization": uuid_to_bytes32(member.pk),
            "isAppointed": is_appointed,
            "threshold": 2,
            "members": 2,
        },
        block_number=40,
        block_hash=bytes([3]) * 32,
        block_time=0,
        transaction_hash=bytes([5]) * 32,
        log_index=index,
        transaction_log_index=index,
    )


def signature_of(member: Organization, proposal: Proposal) -> bytes:
    digest = veto_digest(
        governor=GOVERNOR, guardian=GUARDIAN, chain_id=proposal.consortium.chain_id, call=proposal.call
    )
    return sign_digest(digest, SECRETS[member.slug])


def signed_by(member: Organization, proposal: Proposal, reason: str = "Not like this") -> Veto:
    return sign(
        proposal_id=proposal.pk,
        organization_id=member.pk,
        reason=reason,
        signature=signature_of(member, proposal),
        actor=Actor.system("test"),
    )


def asked_of_the_guardian(world: World) -> list[OutboxTransaction]:
    return list(OutboxTransaction.objects.filter(consortium_id=world.consortium.pk, contract="Guardian"))


def test_a_veto_is_relayed_once_when_as_many_have_signed_as_it_takes(guarded, as_system):
    with as_system():
        proposal = queued(guarded, "77")
        signed_by(guarded.hospital, proposal)
        assert advance(proposal, EARLIER) is False
        assert asked_of_the_guardian(guarded) == []

        signed_by(guarded.bank, proposal)
        assert advance(proposal, EARLIER) is True
        assert advance(proposal, datetime(2026, 1, 3, tzinfo=UTC)) is False

        (asked,) = asked_of_the_guardian(guarded)
        assert (asked.function, asked.arguments[0]) == ("veto", REGISTRY)
        assert [one["organization"] for one in from_json(asked.arguments[3])] == [
            uuid_to_bytes32(member.pk) for member in (guarded.hospital, guarded.bank)
        ]
        records = AuditRecord.objects.filter(action="governance.veto.sign")
        assert {record.body["organization"] for record in records} == {
            str(guarded.hospital.pk),
            str(guarded.bank.pk),
        }


def test_a_veto_that_the_contract_refuses_to_the_last_holds_nothing_up(guarded, as_system):
    with as_system():
        proposal = queued(guarded, "77")
        signed_by(guarded.hospital, proposal)
        signed_by(guarded.bank, proposal)
        for number in range(MAXIMUM_TRIES):
            row = refused(proposal, 0, "GuardianVetoedBefore", "")
            row.idempotency_key = f"progress:{proposal.pk}:veto:{number}"
            row.save()

        assert advance(proposal, datetime(2026, 1, 3, tzinfo=UTC))
        assert (
            OutboxTransaction.objects.filter(idempotency_key__startswith=f"progress:{proposal.pk}:execute:").count()
            == 1
        )


def test_a_signature_of_a_key_that_was_replaced_does_not_count_and_may_be_given_anew(guarded, as_system):
    with as_system():
        proposal = queued(guarded, "77")
        signed_by(guarded.hospital, proposal)
        signed_by(guarded.bank, proposal)
        key = OrganizationKey.objects.get(membership__organization=guarded.bank, purpose="vote")
        OrganizationKey.objects.filter(pk=key.pk).update(address=address_of(SECRETS["outsider"]))

        assert [veto.organization_id for veto in standing(proposal)] == [guarded.hospital.pk]
        assert advance(proposal, EARLIER) is False

        signature = sign_digest(
            veto_digest(governor=GOVERNOR, guardian=GUARDIAN, chain_id=1, call=proposal.call), SECRETS["outsider"]
        )
        again: dict[str, Any] = {"reason": "Again", "signature": signature, "actor": Actor.system("test")}
        sign(proposal_id=proposal.pk, organization_id=guarded.bank.pk, **again)
        assert len(standing(proposal)) == 2


def test_a_guardian_that_was_dismissed_or_suspended_counts_no_more(guarded, as_system):
    with as_system():
        proposal = queued(guarded, "77")
        signed_by(guarded.hospital, proposal)
        signed_by(guarded.bank, proposal)
        guarded.bank.memberships.filter(consortium=guarded.consortium).update(status="suspended")
        assert [veto.organization_id for veto in standing(proposal)] == [guarded.hospital.pk]

        guardian_set(guarded.consortium.pk, appointed(guarded.hospital, 9, is_appointed=False))
        assert standing(proposal) == []


STATES = {
    "active": "from the end of its vote",
    "succeeded": "from the end of its vote",
    "executed": "comes too late",
    "canceled": "from the end of its vote",
}


@pytest.mark.parametrize("state", STATES)
def test_what_does_not_wait_is_not_vetoed_and_the_refusal_says_why(guarded, as_system, state):
    with as_system():
        proposal = queued(guarded, "77")
        Proposal.objects.filter(pk=proposal.pk).update(state=state)

        with pytest.raises(NotVetoableError, match=STATES[state]):
            signed_by(guarded.bank, proposal)
        assert not Veto.objects.exists()


def test_the_guardians_own_replacement_and_a_call_vetoed_before_are_refused(guarded, as_system):
    with as_system():
        own, earlier, again = (queued(guarded, key) for key in ("77", "78", "79"))
        Proposal.objects.filter(pk=own.pk).update(kind="set_guardian", call=own.call | {"targets": [GUARDIAN]})
        act_vetoed(guarded.consortium.pk, vetoed(timelock_operation(GOVERNOR, earlier.call), guarded))

        for proposal, said in ((own, "change of itself"), (earlier, "was vetoed"), (again, "vetoed before")):
            with pytest.raises(NotVetoableError, match=said):
                signed_by(guarded.bank, proposal)
        assert vetoable_by(guarded.bank.pk) == []
        assert not Veto.objects.exists()


def test_nobody_but_a_guardian_signs_and_with_its_own_key_alone(guarded, as_system):
    with as_system():
        proposal = queued(guarded, "77")
        signed_by(guarded.bank, proposal)
        with pytest.raises(AlreadySignedError):
            signed_by(guarded.bank, proposal)

        forged: dict[str, Any] = {
            "reason": "x",
            "signature": signature_of(guarded.bank, proposal),
            "actor": Actor.system("test"),
        }
        with pytest.raises(VetoSignatureError):
            sign(proposal_id=proposal.pk, organization_id=guarded.hospital.pk, **forged)
        with pytest.raises(VetoSignatureError):
            sign(proposal_id=proposal.pk, organization_id=guarded.hospital.pk, **forged | {"signature": bytes(65)})

        guardian_set(guarded.consortium.pk, appointed(guarded.hospital, 9, is_appointed=False))
        with pytest.raises(NotGuardianError):
            signed_by(guarded.hospital, proposal)
        assert Veto.objects.count() == 1


def test_the_page_says_who_has_signed_how_many_are_missing_and_where_one_signs(guarded, as_system, client):
    with as_system():
        proposal = queued(guarded, "77")
        signed_by(guarded.hospital, proposal, reason="It was voted at night")
    assert client.login(email="admin@bank.example", password="a long pass phrase")

    page = client.get(reverse("proposal", args=[proposal.pk])).content.decode()

    assert "1 of 2 signatures that stop it" in page
    assert "It was voted at night" in page
    assert f"consilium-site guardian veto {proposal.pk}" in page

    with as_system():
        act_vetoed(guarded.consortium.pk, vetoed(timelock_operation(GOVERNOR, proposal.call), guarded))
    page = client.get(reverse("proposal", args=[proposal.pk])).content.decode()
    assert "Stopped; the members may vote on it again" in page
    assert "Vetoed" in page
    assert "guardian veto" not in page


def test_what_a_guardian_may_stop_waits_for_its_voters_until_it_has_signed(guarded, as_system):
    def work(name: str) -> str:
        return logged_in(name).get("/").text

    with as_system():
        proposal = queued(guarded, "77")
    assert ["Voted and waiting: " in work(name) for name in ("hospital", "bank", "outsider")] == [True, True, False]
    assert reverse("proposal", args=[proposal.pk]) + "#veto" in work("hospital")

    with as_system():
        signed_by(guarded.hospital, proposal)
    assert ["Voted and waiting: " in work(name) for name in ("hospital", "bank")] == [False, True]

    with as_system():
        Proposal.objects.filter(pk=proposal.pk).update(state="executed")
    assert "Voted and waiting: " not in work("bank")
