"""What the exporter may see of consents: its own in bands, the newest epoch of each member."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from statistics import median_low
from uuid import UUID

from audit.compliance.evidence import NO_WITHDRAWALS, BatchFacts, ConsentFacts, EpochFacts, WithdrawalFacts
from audit.compliance.periods import Period
from audit.content import written_time
from consent import selectors as consent
from consent.models import ConsentBatch, Withdrawal
from consortium.kernel.bands import band, band_label

# A withdrawal that was received or confirmed was recorded too.
_REACHED = {
    Withdrawal.State.RECORDED: ("recorded",),
    Withdrawal.State.RECEIVED: ("recorded", "received"),
    Withdrawal.State.CONFIRMED: ("recorded", "received", "confirmed"),
}


def consent_facts(*, consortium_id: UUID, organization_id: UUID | None, period: Period) -> ConsentFacts | None:
    """Return what the organization may see of consents; None if there are none, of its own or of any member.

    Consents and epochs are as they stand now; withdrawals are those that were recorded in the period. An auditor sees
    the members' epochs alone.
    """
    if organization_id is None:
        shared = _epochs(consortium_id)
        return ConsentFacts(grants={}, batches=0, withdrawals=NO_WITHDRAWALS, epochs=shared) if shared else None
    grants = consent.grant_numbers(consortium_id=consortium_id, organization_id=organization_id)
    batches = consent.imports(organization_id).filter(consortium_id=consortium_id, state="accepted").count()
    withdrawn = consent.withdrawals(organization_id).filter(effects__consortium_id=consortium_id)
    own = [one for one in withdrawn if period.covers(written_time(one.created_at))]
    epochs = _epochs(consortium_id)
    if not (any(grants.values()) or batches or epochs or own):
        return None
    return ConsentFacts(
        grants={state: _in_words(count) for state, count in grants.items()},
        batches=batches,
        withdrawals=withdrawal_facts(own),
        epochs=epochs,
    )


def batch_facts(*, consortium_id: UUID, organization_id: UUID | None) -> list[BatchFacts]:
    """Return the organization's batches that the platform took, oldest first; none for an auditor."""
    if organization_id is None:
        return []
    taken = consent.imports(organization_id).filter(consortium_id=consortium_id, state=ConsentBatch.State.ACCEPTED)
    return [
        BatchFacts(written_time(batch.created_at), _in_words(batch.accepted), batch.digest)
        for batch in taken.order_by("created_at")
    ]


def withdrawal_facts(withdrawals: Sequence[Withdrawal]) -> WithdrawalFacts:
    """Return how far withdrawals have come, and how long they took: no time is told of none."""
    reached = Counter(step for one in withdrawals for step in _REACHED[Withdrawal.State(one.state)])
    seconds = [_seconds(one.created_at, one.confirmed_at) for one in withdrawals if one.confirmed_at is not None]
    return WithdrawalFacts(
        recorded=_in_words(reached["recorded"]),
        received=_in_words(reached["received"]),
        confirmed=_in_words(reached["confirmed"]),
        median_seconds=median_low(seconds) if seconds else None,
        longest_seconds=max(seconds, default=None),
    )


def _epochs(consortium_id: UUID) -> list[EpochFacts]:
    return [
        EpochFacts(
            organization=row["organization"],
            epoch=row["epoch"],
            seq=row["seq"],
            band=row["band_label"],
            root=row["root"],
            as_of=written_time(row["as_of"]),
            block=row["confirmed_block"],
        )
        for row in consent.bands_of_members(consortium_id)
    ]


def _in_words(count: int) -> str:
    return band_label(band(count))


def _seconds(begun: datetime, ended: datetime) -> int:
    return max(0, round((ended - begun).total_seconds()))
