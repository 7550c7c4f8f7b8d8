"""Moving decided proposals on: anybody may close, queue and execute, so the platform does it, in order."""

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from consortium.governance.domain.kinds import Contract
from consortium.governance.domain.operations import GUARDIAN
from consortium.governance.models import Proposal
from consortium.governance.services import vetoes
from consortium.kernel.identifiers import from_hex
from contracts import outbox
from contracts.models import OutboxTransaction

# A block carries the time of its making: ask a little after the chain's own clock allows it.
CLOCK_MARGIN = timedelta(seconds=1)
MAXIMUM_TRIES = 5
# Refusals that name the time to come again: one admission a timelock, and the registry's own interval.
TOO_SOON = frozenset({"GovernorAdmissionTooSoon", "RegistryAdmissionTooSoon"})


def advance_all(now: datetime | None = None) -> int:
    """Ask for the next step of every proposal that is due; return how many steps were asked for."""
    open_states = [Proposal.State.PENDING, Proposal.State.ACTIVE, Proposal.State.SUCCEEDED, Proposal.State.QUEUED]
    due = Proposal.objects.filter(state__in=open_states).exclude(chain_key="").order_by("created_at")
    return sum(advance(proposal, now or timezone.now()) for proposal in due)


def advance(proposal: Proposal, now: datetime) -> bool:
    """Ask for the proposal's next step if it is due and not under way."""
    if proposal.contract == Contract.BOARD:
        if not (proposal.is_settled() or _has_ended(proposal, now)):
            return False
        return _ask(proposal, "close", "close", [from_hex(proposal.chain_key)])
    if proposal.state == Proposal.State.QUEUED:
        # Enough guardians against it go before its execution, also when both are due; a veto that the contract
        # refuses to the last holds nothing up.
        veto = vetoes.complete_call(proposal)
        if veto is not None and not _is_refused_for_good(proposal, "veto"):
            return _ask(proposal, "veto", "veto", veto, contract=GUARDIAN)
        if proposal.executable_at is None or now < proposal.executable_at + CLOCK_MARGIN:
            return False
        return _ask(proposal, "execute", "execute", [int(proposal.chain_key)])
    if proposal.is_settled():
        return _ask(proposal, "queue", "queue", [int(proposal.chain_key)])
    if _has_ended(proposal, now):
        Proposal.objects.filter(pk=proposal.pk).update(state=Proposal.State.DEFEATED)
    return False


def _has_ended(proposal: Proposal, now: datetime) -> bool:
    return proposal.closes_at is not None and now >= proposal.closes_at + CLOCK_MARGIN


def _ask(proposal: Proposal, step: str, function: str, arguments: list[object], *, contract: str = "") -> bool:
    """Ask once; after a refusal by the chain's clock ask again under a new key, a few times."""
    tries = _tries(proposal, step)
    if tries.exclude(state="failed").exists() or _is_refused_for_good(proposal, step):
        return False
    outbox.enqueue(
        consortium_id=proposal.consortium_id,
        contract=contract or proposal.contract,
        function=function,
        arguments=arguments,
        idempotency_key=f"{_key(proposal, step)}{tries.count()}",
    )
    return True


def _is_refused_for_good(proposal: Proposal, step: str) -> bool:
    refused = _tries(proposal, step).filter(state="failed").exclude(error_code__in=TOO_SOON)
    return refused.count() >= MAXIMUM_TRIES


def _tries(proposal: Proposal, step: str) -> QuerySet[OutboxTransaction]:
    return OutboxTransaction.objects.filter(
        consortium_id=proposal.consortium_id, idempotency_key__startswith=_key(proposal, step)
    )


def _key(proposal: Proposal, step: str) -> str:
    return f"progress:{proposal.pk}:{step}:"
