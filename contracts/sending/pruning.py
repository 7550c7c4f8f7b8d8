"""The outbox stops growing: signed bytes and arguments of old calls are dropped, which the chain holds anyway.

Rows stay, with all that anything looks up: key, ids, hash, nonce, block, outcome. So an intent that is asked for
again is still known, an event still finds the act that asked for it, and a member still sees what was sent. Dropped
are the contents of calls alone that were confirmed before a moment, of whose outcome everybody heard, whose block
was read by the projector, and whose receipt a node gives at this moment. Failed calls keep theirs: they are few, and
who looks into one wants to see what was asked. Events are not touched (ADR 15).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import F, Func, IntegerField, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from audit.acts import Actor, Subject
from audit.content import written_time
from audit.recorder import record
from consortium.common.models import TransactionState
from consortium.kernel.errors import ConflictError, InvalidInputError
from contracts.chain import may_heal
from contracts.interface import MAX_BATCH, Chain
from contracts.models import ChainCursor, OutboxTransaction
from contracts.sending.rows import write_own

# A week in which whoever asked may ask again, and an operator may look: longer than any retry here.
MINIMUM_AGE = timedelta(days=7)
# Rows of one transaction; with its record.
BATCH = 1_000
PRUNER = Actor.system("pruner")
ACTION = "contracts.outbox.prune"
_DROPPED_FIELDS = ("raw", "arguments", "arguments_digest", "contents_dropped_at")


class PruneRefusedError(ConflictError):
    """Nothing may be dropped on this chain."""

    code = "prune_refused"


@dataclass
class PruneReport:
    """What was dropped, or would be; `kept` are old calls that stay because a node or the projector is behind."""

    before: datetime
    is_dry: bool
    rows: int = 0
    bytes: int = 0
    kept: int = 0

    def in_words(self) -> str:
        done = "would be dropped" if self.is_dry else "were dropped"
        text = (
            f"Signed bytes and arguments of {self.rows} calls, settled before {self.before:%Y-%m-%d %H:%M} UTC, "
            f"{done}: {self.bytes} bytes. Keys, ids, hashes, blocks and outcomes stay."
        )
        if self.kept:
            text += (
                f" {self.kept} calls keep theirs: no node of CHAIN_RPC_URL gives their receipts as they are noted, or "
                "the projector has not read their blocks."
            )
        return text


def prune(chain: Chain, *, older_than: timedelta, dry_run: bool = False) -> PruneReport:
    """Drop contents of calls that were settled so long ago; as the system's database role.

    Each batch is a transaction with its record in the consortium's log. The dispatcher, and another run of this,
    may work meanwhile; a run that was ended goes on at the next.

    Raises
    ------
    InvalidInputError
        If the age is below `MINIMUM_AGE`.
    PruneRefusedError
        On the development chain.
    ChainError
        If no node answers, or not of this chain; batches before it are dropped.
    """
    if older_than < MINIMUM_AGE:
        raise InvalidInputError(f"Contents are kept for {MINIMUM_AGE.days} days at least. Give a greater age.")
    chain.check_chain()
    if may_heal(chain):
        raise PruneRefusedError(
            "This is the development chain: what it loses in a kill is sent again from these bytes. "
            "Nothing was dropped."
        )
    report = PruneReport(timezone.now() - older_than, dry_run)
    for batch in _batches(report.before):
        mined = _mined(chain, batch)
        report.kept += len(batch) - len(mined)
        dropped = mined if dry_run else _drop(mined, report.before)
        report.rows += len(dropped)
        report.bytes += sum(row.size for row in dropped)
    return report


@dataclass(frozen=True)
class _Old:
    """A call whose contents may go, if the chain has it."""

    pk: UUID
    consortium_id: UUID
    transaction_hash: str
    block: int
    size: int


def _candidates(before: datetime) -> QuerySet[OutboxTransaction]:
    return OutboxTransaction.objects.filter(
        state=TransactionState.CONFIRMED,
        settled_at__lt=before,
        outcome_delivered_at__isnull=False,
        contents_dropped_at__isnull=True,
        block__isnull=False,
    )


def _batches(before: datetime) -> Iterator[list[_Old]]:
    """Go once through the table along its primary key, so that its length costs one pass."""
    last = UUID(int=0)
    while found := _after(last, before):
        last = found[-1].pk
        yield found


def _after(last: UUID, before: datetime) -> list[_Old]:
    rows = _candidates(before).filter(pk__gt=last).order_by("pk").annotate(size=_size("raw") + _size("arguments"))
    found = rows.values_list("pk", "consortium_id", "transaction_hash", "block", "size")[:BATCH]
    return [_Old(pk, consortium, sent, block or 0, size) for pk, consortium, sent, block, size in found]


def _size(column: str) -> Coalesce:
    """Bytes as PostgreSQL stores them, compressed where it does."""
    return Coalesce(Func(F(column), function="pg_column_size", output_field=IntegerField()), 0)


def _mined(chain: Chain, rows: Sequence[_Old]) -> list[_Old]:
    """Those that the projector has read past, and that a node gives a receipt of, in the block that we noted."""
    read = dict(ChainCursor.objects.values_list("consortium_id", "position"))
    behind_us = [row for row in rows if row.block <= read.get(row.consortium_id, -1)]
    found: list[_Old] = []
    for first in range(0, len(behind_us), MAX_BATCH):
        part = behind_us[first : first + MAX_BATCH]
        receipts = chain.receipts([bytes.fromhex(row.transaction_hash[2:]) for row in part])
        pairs = zip(part, receipts, strict=True)
        found += [row for row, got in pairs if got is not None and got.succeeded and got.block_number == row.block]
    return found


def _drop(rows: Sequence[_Old], before: datetime) -> list[_Old]:
    """Drop what still may be, each consortium's with its record; rows that somebody holds wait for the next run."""
    by_consortium: dict[UUID, list[_Old]] = defaultdict(list)
    for row in rows:
        by_consortium[row.consortium_id].append(row)
    dropped: list[_Old] = []
    for consortium_id, own in by_consortium.items():
        with transaction.atomic():
            dropped += _drop_own(consortium_id, own, before)
    return dropped


def _drop_own(consortium_id: UUID, rows: Sequence[_Old], before: datetime) -> list[_Old]:
    hashes = {row.pk: row.transaction_hash for row in rows}
    free = _candidates(before).select_for_update(skip_locked=True).filter(pk__in=list(hashes))
    still = [row for row in free if row.transaction_hash == hashes[row.pk]]
    for row in still:
        row.arguments_digest, row.contents_dropped_at = row.digest, timezone.now()
        row.raw, row.arguments = None, []
    write_own(still, _DROPPED_FIELDS)
    held = {row.pk for row in still}
    dropped = [row for row in rows if row.pk in held]
    if dropped:
        _record(consortium_id, dropped, before)
    return dropped


def _record(consortium_id: UUID, dropped: Sequence[_Old], before: datetime) -> None:
    record(
        action=ACTION,
        organization_id=None,
        consortium_id=consortium_id,
        actor=PRUNER,
        subject=Subject("consortium", str(consortium_id)),
        data={
            "before": written_time(before),
            "transactions": len(dropped),
            "bytes": sum(row.size for row in dropped),
            "last_block": max(row.block for row in dropped),
        },
    )
