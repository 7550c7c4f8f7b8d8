"""What the governor's and the board's events make of proposals and ballots."""

import re
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from audit.acts import Actor, Subject
from audit.recorder import record_once
from consortium.common.models import Blob
from consortium.governance.domain.kinds import Contract, kind_name
from consortium.governance.domain.operations import timelock_operation
from consortium.governance.models import Ballot, DecisionRule, GuardianRule, Proposal
from consortium.governance.registry import run_executors
from consortium.governance.services.progress import TOO_SOON
from consortium.kernel.digests import bytes32_to_digest
from consortium.kernel.identifiers import bytes32_to_uuid, to_hex
from consortium.membership.models import Organization
from consortium.membership.selectors import active_members
from consortium.membership.services.applications import publish_profile
from contracts.events import ChainEvent
from contracts.models import ContractDeployment, OutboxTransaction
from contracts.outbox import on_outcome
from contracts.projector import projects
from contracts.reading.read_models import CHAIN_BACKED, read_model, scratch

PROJECTOR = Actor.system("projector")
_NOT_BEFORE = re.compile(r"notBefore=(\d+)")
# What an event says of a proposal that the chain has; a request that it has not is left as it was asked for.
_UNSAID = "CASE chain_state WHEN 'confirmed' THEN {} ELSE {} END"
read_model(
    Proposal,
    before=CHAIN_BACKED
    | {
        "state": _UNSAID.format("'pending'", "state"),
        "base": _UNSAID.format("0", "base"),
        "executable_at": _UNSAID.format("NULL", "executable_at"),
        "settled_block": _UNSAID.format("NULL", "settled_block"),
        "vetoed_by": _UNSAID.format("'[]'::jsonb", "vetoed_by"),
    },
    written=(
        *("organization_id", "kind", "chain_key", "subject", "arguments", "description", "policy_digest", "owners"),
        *("call", "rule", "opened_at", "closes_at"),
    ),
    ours={
        "created_at": "our clock",
        "consortium_id": "names the row",
        "contract": "names the row",
        "document_digest": "the author's text, which the chain knows by the description alone",
    },
    # An act that was voted down ends without an event: our sweep says so, when its time is over.
    compared_as={
        "state": "CASE WHEN contract = 'ConsortiumGovernor' AND state IN ('active', 'defeated') "
        "THEN 'active or defeated' ELSE state END"
    },
)
read_model(
    Ballot,
    before=CHAIN_BACKED | {"is_struck": "false"},
    written=("choice",),
    ours={
        "created_at": "our clock",
        "proposal_id": "names the row",
        "consortium_id": "the proposal's",
        "organization_id": "names the row",
        "failure": "the contract's refusal, which is no event",
    },
)
read_model(
    DecisionRule,
    identity=("consortium_id", "kind"),
    seeded="false",
    written=(*("quorum_bps", "threshold_bps", "period_seconds", "minimum_votes", "exclude_author", "set_in_block"),),
    ours={"id": "given by us", "created_at": "our clock"},
)
read_model(
    GuardianRule,
    identity=("consortium_id",),
    seeded="false",
    written=("organizations", "threshold", "set_in_block"),
    ours={"id": "given by us", "created_at": "our clock"},
)
scratch(Blob, "an applicant's profile is left for the members' agents", copied=False)


@projects("ActProposed")
def act_proposed(consortium_id: UUID, event: ChainEvent) -> None:
    """The act itself; its dates come with OpenZeppelin's ProposalCreated of the same transaction."""
    arguments = event.arguments
    proposal = _opened(consortium_id, event, Contract.GOVERNOR, str(arguments["proposalId"]))
    proposal.organization_id = bytes32_to_uuid(arguments["organization"])
    proposal.kind = kind_name(Contract.GOVERNOR, arguments["kind"])
    proposal.arguments = to_hex(arguments["arguments"])
    proposal.description = arguments["description"]
    proposal.base = active_members(consortium_id)
    _confirm(proposal, event)
    if proposal.kind == "admit":
        _show_applicant(consortium_id, arguments["arguments"])


@projects("ProposalCreated")
def proposal_created(consortium_id: UUID, event: ChainEvent) -> None:
    arguments = event.arguments
    proposal = _opened(consortium_id, event, Contract.GOVERNOR, str(arguments["proposalId"]))
    proposal.call = {
        "targets": list(arguments["targets"]),
        "values": list(arguments["values"]),
        "calldatas": [to_hex(data) for data in arguments["calldatas"]],
        "description": arguments["description"],
    }
    proposal.opened_at = _time(arguments["voteStart"])
    proposal.closes_at = _time(arguments["voteEnd"])
    proposal.state = Proposal.State.ACTIVE
    _confirm(proposal, event)


@projects("ProposalQueued")
def proposal_queued(consortium_id: UUID, event: ChainEvent) -> None:
    proposal = _known(consortium_id, Contract.GOVERNOR, str(event.arguments["proposalId"]))
    proposal.state = Proposal.State.QUEUED
    proposal.executable_at = _time(event.arguments["etaSeconds"])
    proposal.save(update_fields=["state", "executable_at"])
    _record_close(proposal, "succeeded", event)


@projects("ProposalExecuted")
def proposal_executed(consortium_id: UUID, event: ChainEvent) -> None:
    proposal = _known(consortium_id, Contract.GOVERNOR, str(event.arguments["proposalId"]))
    _settle(proposal, Proposal.State.EXECUTED, event)
    _record(proposal, "governance.proposal.execute", event, kind=proposal.kind, block=event.block_number)
    run_executors(proposal, is_approved=True)


@projects("ProposalCanceled")
def proposal_canceled(consortium_id: UUID, event: ChainEvent) -> None:
    proposal = _known(consortium_id, Contract.GOVERNOR, str(event.arguments["proposalId"]))
    _settle(proposal, Proposal.State.CANCELED, event)
    _record(proposal, "governance.proposal.cancel", event, block=event.block_number)


@projects("ActVetoed", contract="Guardian")
def act_vetoed(consortium_id: UUID, event: ChainEvent) -> None:
    """The guardian names what waited in the timelock; the governor itself says nothing of it."""
    governor = ContractDeployment.objects.get(consortium_id=consortium_id, name=Contract.GOVERNOR).address
    waiting = Proposal.objects.filter(
        consortium_id=consortium_id, contract=Contract.GOVERNOR, state=Proposal.State.QUEUED
    )
    operation = event.arguments["operation"]
    proposal = next((one for one in waiting if timelock_operation(governor, one.call) == operation), None)
    if proposal is None:
        return
    guardians = [str(bytes32_to_uuid(guardian)) for guardian in event.arguments["guardians"]]
    proposal.vetoed_by = guardians
    proposal.save(update_fields=["vetoed_by"])
    _settle(proposal, Proposal.State.CANCELED, event)
    _record(proposal, "governance.proposal.veto", event, guardians=guardians, block=event.block_number)


@projects("GuardianSet", contract="Guardian")
def guardian_set(consortium_id: UUID, event: ChainEvent) -> None:
    """One organization appointed or dismissed, and how many together veto from now on."""
    rule = GuardianRule.objects.filter(consortium_id=consortium_id).first()
    rule = rule or GuardianRule(consortium_id=consortium_id)
    named, others = str(bytes32_to_uuid(event.arguments["organization"])), set(rule.organizations)
    rule.organizations = sorted(others | {named} if event.arguments["isAppointed"] else others - {named})
    rule.threshold, rule.set_in_block = event.arguments["threshold"], event.block_number
    rule.save()


@projects("DecisionOpened")
def decision_opened(consortium_id: UUID, event: ChainEvent) -> None:
    arguments = event.arguments
    proposal = _opened(consortium_id, event, Contract.BOARD, to_hex(arguments["decision"]))
    proposal.organization_id = bytes32_to_uuid(arguments["author"])
    proposal.kind = kind_name(Contract.BOARD, arguments["kind"])
    proposal.subject = to_hex(arguments["subject"])
    proposal.policy_digest = bytes32_to_digest(arguments["policy"])
    proposal.owners = [str(bytes32_to_uuid(owner)) for owner in arguments["owners"]]
    proposal.rule = _rule(arguments["rule"])
    proposal.base = arguments["base"]
    proposal.opened_at, proposal.closes_at = _time(arguments["openedAt"]), _time(arguments["closesAt"])
    proposal.state = Proposal.State.ACTIVE
    _confirm(proposal, event)


@projects("DecisionClosed")
def decision_closed(consortium_id: UUID, event: ChainEvent) -> None:
    proposal = _known(consortium_id, Contract.BOARD, to_hex(event.arguments["decision"]))
    is_approved = event.arguments["isApproved"]
    _settle(proposal, Proposal.State.EXECUTED if is_approved else Proposal.State.DEFEATED, event)
    _record_close(proposal, "approved" if is_approved else "rejected", event)
    run_executors(proposal, is_approved=is_approved)


@projects("DecisionRuleSet")
def decision_rule_set(consortium_id: UUID, event: ChainEvent) -> None:
    rule = _rule(event.arguments["rule"])
    DecisionRule.objects.update_or_create(
        consortium_id=consortium_id,
        kind=kind_name(Contract.BOARD, event.arguments["kind"]),
        defaults=rule | {"set_in_block": event.block_number},
    )


@on_outcome("proposal")
def proposal_outcome(transaction: OutboxTransaction) -> None:
    """A proposal that the chain refused stays, marked failed, with the reason."""
    if transaction.state == "failed":
        Proposal.objects.filter(pk=transaction.idempotency_key.partition(":")[2]).update(
            chain_state="failed", state=Proposal.State.CANCELED
        )


@on_outcome("ballot")
def ballot_outcome(transaction: OutboxTransaction) -> None:
    """A ballot that the chain refused does not count, and may be cast again."""
    if transaction.state == "failed":
        Ballot.objects.filter(pk=transaction.idempotency_key.partition(":")[2]).update(
            chain_state="failed", failure=transaction.error_code[:200]
        )


@on_outcome("progress")
def progress_outcome(transaction: OutboxTransaction) -> None:
    """Closing, queueing and executing are asked for again by the sweep; their events tell the rest.

    An admission that comes too soon after another is told from when on it may be executed, and waits for that.
    """
    not_before = _NOT_BEFORE.search(transaction.error_text) if transaction.error_code in TOO_SOON else None
    if transaction.state == "failed" and not_before:
        pk = transaction.idempotency_key.split(":")[1]
        Proposal.objects.filter(pk=pk).update(executable_at=_time(int(not_before[1])))


def _show_applicant(consortium_id: UUID, arguments: bytes) -> None:
    """Let the members' agents name whom they vote on; the id is the first word of the arguments."""
    applicant = Organization.objects.filter(pk=bytes32_to_uuid(arguments[:32])).first()
    if applicant is not None:
        publish_profile(consortium_id, applicant)


def _opened(consortium_id: UUID, event: ChainEvent, contract: Contract, key: str) -> Proposal:
    """The row of this proposal: the one that asked for it, or a new one if it came to the chain another way."""
    known = Proposal.objects.filter(consortium_id=consortium_id, contract=contract, chain_key=key).first()
    if known is not None:
        return known
    asked = OutboxTransaction.objects.filter(
        consortium_id=consortium_id,
        transaction_hash=to_hex(event.transaction_hash),
        idempotency_key__startswith="proposal:",
    ).first()
    proposal = None
    if asked is not None:
        proposal = Proposal.objects.filter(pk=asked.idempotency_key.partition(":")[2]).first()
    if proposal is None:
        author = event.arguments.get("organization") or event.arguments.get("author")
        proposal = Proposal(consortium_id=consortium_id, contract=contract)
        if author is not None:
            proposal.organization_id = bytes32_to_uuid(author)
    proposal.chain_key = key
    return proposal


def _known(consortium_id: UUID, contract: Contract, key: str) -> Proposal:
    return Proposal.objects.get(consortium_id=consortium_id, contract=contract, chain_key=key)


def _confirm(proposal: Proposal, event: ChainEvent) -> None:
    proposal.chain_state = "confirmed"
    proposal.confirmed_block = event.block_number
    proposal.transaction_hash = to_hex(event.transaction_hash)
    proposal.save()


def _settle(proposal: Proposal, state: str, event: ChainEvent) -> None:
    proposal.state, proposal.settled_block = state, event.block_number
    proposal.save(update_fields=["state", "settled_block"])


def _record_close(proposal: Proposal, outcome: str, event: ChainEvent) -> None:
    count = proposal.count()
    _record(
        proposal,
        "governance.proposal.close",
        event,
        outcome=outcome,
        yes=count.yes,
        no=count.no,
        base=proposal.base,
        block=event.block_number,
    )


def _record(proposal: Proposal, action: str, event: ChainEvent, **data: object) -> None:
    record_once(
        event.key,
        action=action,
        consortium_id=proposal.consortium_id,
        actor=PROJECTOR,
        subject=Subject("proposal", str(proposal.pk)),
        data=data,
    )


def _rule(rule: dict[str, Any]) -> dict[str, Any]:
    return {
        "quorum_bps": rule["quorumBps"],
        "threshold_bps": rule["thresholdBps"],
        "period_seconds": rule["periodSeconds"],
        "minimum_votes": rule["minimumVotes"],
        "exclude_author": rule["excludeAuthor"],
    }


def _time(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
