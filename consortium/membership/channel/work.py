"""Publishing work to sites and taking their answers; every change of state is a guarded update."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from consortium.kernel.errors import ConflictError, ConsiliumError, NotFoundError
from consortium.membership.models import SitePresence, WorkItem

NEW_WORK = "consilium_work"
ANSWERED = "consilium_answer"
WAITING = (WorkItem.State.OPEN, WorkItem.State.TAKEN)


class WorkClosedError(ConsiliumError):
    """The work was called off or ran out of time; the agent should stop it."""

    code = "work_closed"
    http_status = 410


class WorkAnsweredError(ConflictError):
    """The work has another answer already."""

    code = "work_answered"


def publish(
    *,
    consortium_id: UUID,
    organization_id: UUID,
    kind: str,
    payload: Mapping[str, Any],
    deadline: datetime,
    fence: int = 0,
) -> WorkItem:
    """Leave work for a site's agent and wake it; the system's role publishes."""
    item = WorkItem(
        consortium_id=consortium_id,
        organization_id=organization_id,
        kind=kind,
        payload=dict(payload),
        deadline=deadline,
        fence=fence,
    )
    publish_all([item])
    return item


def publish_all(items: Sequence[WorkItem]) -> None:
    """Leave work for several sites and wake them, in two statements however many they are."""
    WorkItem.objects.bulk_create(items)
    _notify(NEW_WORK, *(str(item.organization_id) for item in items))


def take_next(organization_id: UUID, in_hand: Collection[UUID] = ()) -> WorkItem | None:
    """Give out the oldest work that waits, save what the agent says it has in hand.

    After a restart an agent has nothing in hand, and gets again what it had taken.
    """
    waiting = WorkItem.objects.filter(organization_id=organization_id, state__in=WAITING, deadline__gt=timezone.now())
    item = waiting.exclude(pk__in=in_hand).order_by("created_at").first()
    if item is None:
        return None
    now = timezone.now()
    WorkItem.objects.filter(pk=item.pk, state__in=WAITING).update(
        state=WorkItem.State.TAKEN, taken_at=item.taken_at or now, beat_at=now
    )
    return item


def beat(item_id: UUID, organization_id: UUID) -> None:
    """Note that the site is still at it; `WorkClosedError` tells it to stop."""
    changed = _own(item_id, organization_id).filter(state__in=WAITING, deadline__gt=timezone.now())
    if changed.update(beat_at=timezone.now()) == 0:
        _refuse_late(item_id, organization_id)


def answer(item_id: UUID, organization_id: UUID, *, result: Any = None, result_bytes: bytes | None = None) -> None:
    """Take the site's answer, once; the same answer again is welcome, another one is refused."""
    values = {"result": result, "result_bytes": result_bytes}
    if not _finish(item_id, organization_id, WorkItem.State.DONE, **values):
        item = _own(item_id, organization_id).first()
        same = item is not None and item.state == WorkItem.State.DONE and item.result == result
        if not (same and bytes(item.result_bytes or b"") == (result_bytes or b"")):  # type: ignore[union-attr] # same implies an item
            _refuse_late(item_id, organization_id)


def refuse(item_id: UUID, organization_id: UUID, *, code: str, text: str) -> None:
    """Take the site's refusal."""
    values = {"refusal_code": code[:80], "refusal_text": text[:500]}
    if not _finish(item_id, organization_id, WorkItem.State.REFUSED, **values):
        _refuse_late(item_id, organization_id)


def close(items: Iterable[UUID]) -> int:
    """Call work off; agents learn it at their next beat. Returns how many still waited."""
    closed = WorkItem.objects.filter(pk__in=list(items), state__in=WAITING)
    return closed.update(state=WorkItem.State.CLOSED, answered_at=timezone.now())


def mark_seen(organization_id: UUID) -> None:
    """Note that the agent is there, to the second: one statement, and most polls write nothing."""
    table = SitePresence._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} AS known (organization_id, seen_at, version) VALUES (%s, %s, '') "  # noqa: S608  a constant
            "ON CONFLICT (organization_id) DO UPDATE SET seen_at = excluded.seen_at "
            "WHERE known.seen_at < excluded.seen_at - interval '1 second'",
            [organization_id, timezone.now()],
        )


def _own(item_id: UUID, organization_id: UUID) -> QuerySet[WorkItem]:
    return WorkItem.objects.filter(pk=item_id, organization_id=organization_id)


def _finish(item_id: UUID, organization_id: UUID, state: str, **values: Any) -> bool:
    open_items = _own(item_id, organization_id).filter(state__in=WAITING)
    changed = open_items.update(state=state, answered_at=timezone.now(), **values)
    if changed:
        _notify(ANSWERED, str(item_id))
    return changed == 1


def _refuse_late(item_id: UUID, organization_id: UUID) -> None:
    item = _own(item_id, organization_id).first()
    if item is None:
        raise NotFoundError(_("There is no such work for you."))
    if item.state in (WorkItem.State.DONE, WorkItem.State.REFUSED):
        raise WorkAnsweredError(_("This work has been answered already."))
    raise WorkClosedError(_("This work was called off, or its time ran out. Stop it."))


def _notify(channel: str, *payloads: str) -> None:
    """Tell listeners at commit; what they see is then there for them to read."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, payload) FROM unnest(%s::text[]) AS payload", [channel, list(payloads)])


def describe(item: WorkItem) -> dict[str, Any]:
    """The work as an agent gets it."""
    return {
        "id": str(item.pk),
        "kind": item.kind,
        "consortium": str(item.consortium_id),
        "fence": item.fence,
        "deadline": item.deadline.isoformat(),
        "payload": item.payload,
    }
