"""How attempts and runs end before their time: everything called off, the chain told, the reason kept."""

from datetime import timedelta

from django.utils import timezone

from consortium.kernel.identifiers import to_hex, uuid_to_bytes32
from consortium.membership.channel import work
from training.coordination.desk import Desk
from training.coordination.errands import call_off
from training.coordination.ledger import ABANDON_REASONS, ask_once
from training.domain.endings import reason_digest
from training.domain.states import ATTEMPT, RUN, AttemptState, RunState
from training.errors import RunFailedError
from training.models import Attempt, Run, RunOrder

# An author's agent may be away for a weekend.
CANCEL_SIGNATURE_DAYS = 7


def abandon(desk: Desk, attempt: Attempt, reason: str, text: str) -> None:
    """Give the attempt up: work called off, the ledger told, the next one free to begin.

    Raises
    ------
    RunFailedError
        If a share was released; the ledger is told so. Its sum may be known to whoever collected the shares, and a
        second sum over the same weights would differ from it by single updates (protocol section 4: one revealed sum
        a weights digest).
    """
    with desk.write():
        call_off(attempt)
        is_revealed = attempt.parts.filter(release__isnull=False).exists()
        told = ABANDON_REASONS["revealed" if is_revealed else reason]
        values = {"abandoned_reason": reason, "abandoned_text": text[:500]}
        desk.advance(attempt, AttemptState.ABANDONED, **values)
        if attempt.opened_at is not None:
            place = [attempt.round.number, attempt.number]
            ask_once(
                desk,
                f"{place[0]}.{place[1]}:abandon",
                "abandonAttempt",
                lambda: [uuid_to_bytes32(desk.run_id), *place, told],
            )
        desk.record("training.attempt.abandon", round=attempt.round.number, attempt=attempt.number, reason=reason)
    desk.at("abandoned")
    if is_revealed:
        text = f"Shares were released, and the sum could not be closed: {text}"
        raise RunFailedError("revealed_not_closed", text, ends_on_chain=True)


def fail_run(desk: Desk, error: RunFailedError) -> None:
    """End the run as failed; on the chain where the ledger allows it, else by its author's signature."""
    was_revealed = _end(desk, RunState.FAILED, error.reason, error.message)
    if error.ends_on_chain or was_revealed:
        with desk.write():
            reason = reason_digest(error.reason)
            ask_once(desk, "fail", "failRun", lambda: [uuid_to_bytes32(desk.run_id), reason])
    else:
        ask_author_to_end(desk.run, error.reason)


def cancel_run(desk: Desk) -> None:
    """End the run as its people ordered; on the chain it ends with their organization's signature."""
    order = desk.run.orders.filter(kind=RunOrder.Kind.CANCEL, obeyed_at__isnull=True).first()
    reason = order.reason if order is not None else ""
    _end(desk, RunState.CANCELED, "canceled", reason)
    ask_author_to_end(desk.run, "canceled")


def _end(desk: Desk, state: str, code: str, text: str) -> bool:
    """End the run in the rows; whether an attempt that was given up with it was revealed."""
    was_revealed = False
    for attempt in desk.run.attempts.filter(state__in=ATTEMPT.live).select_related("round"):
        try:
            abandon(desk, attempt, "timeout", f"The run ended: {code}.")
        except RunFailedError:
            # It is ending already.
            was_revealed = True
    desk.backend.cancel()
    with desk.write() as run:
        desk.keep_lineage()
        if not RUN.is_terminal(run.state):
            desk.change_run(run, state, code, failure_code=code[:80], failure_text=text[:500])
        run.orders.filter(obeyed_at__isnull=True).update(obeyed_at=timezone.now())
    return was_revealed


def ask_author_to_end(run: Run, code: str) -> None:
    """Ask the agent of the plan's author to sign `CancelRun`, if the chain knows the run; once."""
    if run.chain_state != "confirmed" or run.ending_work is not None:
        return
    reason = reason_digest(code)
    item = work.publish(
        consortium_id=run.consortium_id,
        organization_id=run.organization_id,
        kind="cancel",
        payload={"run": str(run.pk), "reason": to_hex(reason), "code": code},
        deadline=timezone.now() + timedelta(days=CANCEL_SIGNATURE_DAYS),
        fence=run.fence,
    )
    Run.objects.filter(pk=run.pk, ending_work__isnull=True).update(ending_work=item.pk)
