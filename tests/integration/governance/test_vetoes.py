"""What a guardian's veto and an admission that comes too soon make of a proposal that had passed."""

from datetime import UTC, datetime
from typing import Any

import pytest

from audit.models import AuditRecord
from consortium.governance.domain.operations import timelock_operation
from consortium.governance.models import Proposal
from consortium.governance.projections import act_vetoed, progress_outcome
from consortium.governance.services.progress import MAXIMUM_TRIES, advance
from consortium.kernel.identifiers import uuid_to_bytes32
from contracts.events import ChainEvent
from contracts.models import ContractDeployment, OutboxTransaction
from tests.factories.membership import World, make_world

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
