"""A veto in one piece: signed at the guardians' agents, relayed by the platform, obeyed by the chain, read back."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

import agent.keystore
from agent.client import PREFIX
from agent.errors import NotOpenError, PlatformRefusedError
from agent.vetoes import WaitingAct
from audit.models import AuditRecord
from consortium.governance.domain.operations import timelock_salt
from consortium.governance.models import Proposal, Veto
from consortium.kernel.identifiers import from_hex, to_hex
from contracts.models import OutboxTransaction
from tests.chain.anvil import Anvil
from tests.integration.governance.guarded import TIMELOCK_SECONDS, VERA, VOTING_SECONDS, Guarded, Table, found

pytestmark = pytest.mark.services
SHORTER = 60


@pytest.fixture
def guarded(tmp_path: Path, as_system: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    monkeypatch.setattr(agent.keystore, "SCRYPT_COST", 2)
    with Anvil(tmp_path).start() as node:
        settings.CHAIN_ID = node.chain_id
        made = found(node, tmp_path / "sites", as_system)
        yield made
        for site in made.sites.values():
            site.journal.close()


def queued(guarded: Guarded, member: str, description: str) -> Proposal:
    """An act that its members voted for and that waits."""
    proposal = guarded.propose(member, SHORTER, description)
    guarded.vote(proposal)
    assert again(guarded, proposal).state == "queued"
    return again(guarded, proposal)


def again(guarded: Guarded, proposal: Proposal) -> Proposal:
    with guarded.as_system():
        return Proposal.objects.get(pk=proposal.pk)


def page_of(proposal: Proposal) -> str:
    client = Client()
    assert client.login(email="admin@bank.example", password="a long pass phrase")
    return client.get(reverse("proposal", args=[proposal.pk])).content.decode()


def records(guarded: Guarded, action: str) -> list[dict[str, Any]]:
    with guarded.as_system():
        return [record.body for record in AuditRecord.objects.filter(action=action).order_by("recorded_at")]


def asked(guarded: Guarded, function: str) -> int:
    with guarded.as_system():
        return OutboxTransaction.objects.filter(function=function).count()


def organization(guarded: Guarded, member: str) -> str:
    return str(guarded.sites[member].configuration.organization)


def waiting_act(guarded: Guarded, member: str, proposal: Proposal) -> WaitingAct:
    """What the member's own node says of it, whatever the platform offers."""

    async def work(table: Table) -> WaitingAct:
        return table.site.vetoes.read(table.consortium, proposal.chain_key)

    return guarded.at(member, work)


def signed_anyway(guarded: Guarded, member: str, proposal: Proposal) -> bytes:
    """A guardian's true signature, made past everything that its agent looks at before."""
    site = guarded.sites[member]
    prepared = site.vetoes.prepare(waiting_act(guarded, member, proposal), person=VERA)
    return site.signer.sign(prepared.request).signature


def hand_in(guarded: Guarded, member: str, proposal: Proposal, signature: bytes) -> None:
    async def work(table: Table) -> None:
        body = {"reason": "Once more", "signature": to_hex(signature)}
        await table.ballots.client.post(f"{PREFIX}/vetoes/{proposal.pk}", body, idempotency_key=str(uuid.uuid4()))

    guarded.at(member, work)


def veto_call(guarded: Guarded, proposal: Proposal, signatures: dict[str, bytes]) -> list[Any]:
    """The arguments of the guardian's `veto`, which anybody may send."""
    governor = guarded.address("ConsortiumGovernor")
    given = [
        {"organization": guarded.sites[member].organization, "signature": signature}
        for member, signature in signatures.items()
    ]
    call = proposal.call
    salt = timelock_salt(governor, call["description"])
    return [call["targets"][0], from_hex(call["calldatas"][0]), salt, given]


def test_two_guardians_stop_what_was_voted_and_nobody_can_carry_it_out(guarded):
    proposal = queued(guarded, "bank", "In haste")

    first = guarded.veto("hospital", proposal, "It was voted at night")
    assert guarded.go_on() == 0
    guarded.veto("clinic", proposal, "Sixty seconds are too few to read")
    assert guarded.go_on() == 1

    vetoed = again(guarded, proposal)
    both = {organization(guarded, member) for member in ("hospital", "clinic")}
    assert (vetoed.state, set(vetoed.vetoed_by)) == ("canceled", both)
    # When its time has come, neither the platform asks for it nor does the chain let anybody.
    guarded.pass_seconds(TIMELOCK_SECONDS + 2)
    assert guarded.go_on() == 0
    assert asked(guarded, "execute") == 0
    refused = guarded.relay("ConsortiumGovernor", "execute", [int(proposal.chain_key)])
    assert (refused.state, refused.error_code) == ("failed", "GovernorUnexpectedProposalState")
    assert guarded.call("ConsortiumGovernor", "votingPeriod") == VOTING_SECONDS
    assert again(guarded, proposal).state == "canceled"

    assert {record["organization"] for record in records(guarded, "governance.veto.sign")} == both
    (stopped,) = records(guarded, "governance.proposal.veto")
    assert (set(stopped["guardians"]), stopped["block"]) == (both, vetoed.settled_block)
    assert records(guarded, "governance.proposal.execute") == []
    page = page_of(proposal)
    for words in ("Vetoed", "Stopped; the members may vote on it again", "It was voted at night", "too few to read"):
        assert words in page
    assert "guardian veto" not in page
    assert "Canceled" not in page
    act = waiting_act(guarded, "hospital", proposal)
    assert (act.why_not, guarded.sites["hospital"].vetoes.given(act)) == (
        "This act was vetoed.",
        replace(first, state="sent"),
    )


def test_one_guardian_fewer_stops_nothing(guarded):
    proposal = queued(guarded, "bank", "In haste")
    guarded.veto("hospital", proposal, "It was voted at night")
    guarded.pass_seconds(TIMELOCK_SECONDS + 2)

    # Both are due at once, and the one signature holds nothing up.
    assert guarded.go_on() == 1

    carried_out = again(guarded, proposal)
    assert (carried_out.state, carried_out.vetoed_by) == ("executed", [])
    assert guarded.call("ConsortiumGovernor", "votingPeriod") == SHORTER
    assert asked(guarded, "veto") == 0
    assert len(records(guarded, "governance.proposal.execute")) == 1
    assert records(guarded, "governance.proposal.veto") == []
    assert "comes too late" in waiting_act(guarded, "clinic", proposal).why_not
    with pytest.raises(NotOpenError):
        guarded.veto("clinic", proposal, "Too late")
    with pytest.raises(PlatformRefusedError, match="not_vetoable"):
        hand_in(guarded, "clinic", proposal, signed_anyway(guarded, "clinic", proposal))
    with guarded.as_system():
        assert Veto.objects.count() == 1


def test_what_was_vetoed_passes_when_it_is_voted_again_and_no_guardian_can_stop_it(guarded):
    vetoed = queued(guarded, "bank", "In haste")
    for member in ("hospital", "clinic"):
        guarded.veto(member, vetoed, "It was voted at night")
    guarded.go_on()
    assert again(guarded, vetoed).state == "canceled"

    # Another proposer and other words do not make another act of it.
    repeated = queued(guarded, "hospital", "After a night's sleep")
    signatures = {member: signed_anyway(guarded, member, repeated) for member in ("hospital", "clinic")}
    for member, signature in signatures.items():
        assert "a veto is had once" in waiting_act(guarded, member, repeated).why_not
        with pytest.raises(NotOpenError):
            guarded.veto(member, repeated, "Once more")
        with pytest.raises(PlatformRefusedError, match="not_vetoable"):
            hand_in(guarded, member, repeated, signature)
    with guarded.as_system():
        assert not repeated.vetoes.exists()
    refused = guarded.relay("Guardian", "veto", veto_call(guarded, repeated, signatures))
    assert (refused.state, refused.error_code) == ("failed", "GuardianVetoedBefore")
    assert guarded.go_on() == 0
    assert again(guarded, repeated).state == "queued"

    guarded.pass_seconds(TIMELOCK_SECONDS + 2)
    assert guarded.go_on() == 1

    assert again(guarded, repeated).state == "executed"
    assert guarded.call("ConsortiumGovernor", "votingPeriod") == SHORTER
    assert [record["kind"] for record in records(guarded, "governance.proposal.execute")] == ["set_voting_period"]
    assert len(records(guarded, "governance.proposal.veto")) == 1
    assert "Carried out" in page_of(repeated)
