"""Sending sites on errands: each asked once, every answer durable before the next step, silence named."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone

from audit.fields import CODE
from consortium.kernel.errors import ConsiliumError
from consortium.membership.channel import work
from consortium.membership.models import SitePresence, WorkItem
from training.coordination.desk import Desk
from training.coordination.silence import Signs, lost_because
from training.errors import AnswerInvalidError
from training.models import Attempt, Errand, SitePart

# Keeps one site's answer, inside `desk.write()`; raises a ConsiliumError, before it writes, for one that does not hold.
Take = Callable[[SitePart, WorkItem], None]
_LIVING = (SitePart.Outcome.ASKED, SitePart.Outcome.COMMITTED, SitePart.Outcome.ACCEPTED)


class Errands:
    """The errands of one step of one attempt: the same request to several sites, with a payload for each."""

    def __init__(self, desk: Desk, attempt: Attempt, kind: str, *, number: int = 1) -> None:
        self._desk = desk
        self._attempt = attempt
        self._kind = kind
        self._number = number
        self._waiting: dict[UUID, UUID] = {}

    def gather(self, payloads: Mapping[UUID, Mapping[str, Any]], take: Take, *, seconds: float) -> None:
        """Ask the sites and wait until each has answered, refused, fallen silent, or run out of time.

        What an earlier coordinator asked is not asked again: its answers are taken, and what sites still
        work on goes on under the present fence.
        """
        self._publish(payloads, seconds)
        self._desk.at(f"{self._kind}_published")
        self._desk.waiter.until(lambda: self._look(take), seconds=seconds)
        for site, item in list(self._waiting.items()):
            self._give_up(site, item, take, SitePart.Outcome.LATE, "late", f"no answer within {seconds:g} s")

    def _publish(self, payloads: Mapping[UUID, Mapping[str, Any]], seconds: float) -> None:
        reference = {
            "run": str(self._desk.run_id),
            "round": self._attempt.round.number,
            "attempt": self._attempt.number,
        }
        with self._desk.write():
            known = dict(self._errands().filter(number=self._number).values_list("organization_id", "work_id"))
            deadline = timezone.now() + timedelta(seconds=seconds)
            if known:
                waiting = WorkItem.objects.filter(pk__in=known.values(), state__in=work.WAITING)
                waiting.update(fence=self._desk.lease.fence, deadline=deadline)
            asked = {site: {**reference, **payload} for site, payload in payloads.items() if site not in known}
            known |= self._ask(asked, deadline)
        self._waiting = {site: item for site, item in known.items() if site in payloads}

    def _ask(self, payloads: Mapping[UUID, Mapping[str, Any]], deadline: datetime) -> dict[UUID, UUID]:
        items = [
            WorkItem(
                consortium_id=self._desk.consortium_id,
                organization_id=site,
                kind=self._kind,
                payload=dict(payload),
                deadline=deadline,
                fence=self._desk.lease.fence,
            )
            for site, payload in payloads.items()
        ]
        if items:
            work.publish_all(items)
        place = {"attempt": self._attempt, "kind": self._kind, "number": self._number}
        Errand.objects.bulk_create(Errand(**place, organization_id=item.organization_id, work=item) for item in items)
        return {item.organization_id: item.pk for item in items}

    def _look(self, take: Take) -> bool | None:
        """Settle what can be settled; True once nothing is waited for."""
        items = {item.pk: item for item in self._items(self._waiting.values())}
        answered = [site for site, pk in self._waiting.items() if items[pk].state not in work.WAITING]
        self._settle({site: items[self._waiting[site]] for site in answered}, take)
        if not self._waiting:
            return True
        self._give_up_silent(items, take)
        return None if self._waiting else True

    def _give_up_silent(self, items: Mapping[UUID, WorkItem], take: Take) -> None:
        """Let go of sites without a sign of life; the last poll is looked up for suspects only."""
        now, patience = timezone.now(), self._desk.patience
        signs = {site: Signs(items[pk].created_at, items[pk].beat_at, None) for site, pk in self._waiting.items()}
        suspects = [site for site, given in signs.items() if lost_because(given, now, patience) is not None]
        if not suspects:
            return
        seen = dict(SitePresence.objects.filter(organization_id__in=suspects).values_list("organization_id", "seen_at"))
        for site in suspects:
            found = replace(signs[site], seen_at=seen.get(site))
            if (reason := lost_because(found, now, patience)) is not None:
                self._give_up(site, self._waiting[site], take, SitePart.Outcome.LOST, "lost", reason)

    def _settle(self, items: Mapping[UUID, WorkItem], take: Take) -> None:
        """Take the answers in one transaction; an answer that does not hold is refused, the others stay."""
        for site in items:
            del self._waiting[site]
        done = [item for item in items.values() if item.state == WorkItem.State.DONE]
        wrong = self._take(done, take) if done else {}
        for site, item in items.items():
            if item.state == WorkItem.State.REFUSED:
                wrong[site] = (item.refusal_code, item.refusal_text)
        for site, (code, text) in wrong.items():
            self._mark(site, SitePart.Outcome.REFUSED, code, text)
        for site, item in items.items():
            if item.state == WorkItem.State.CLOSED:
                self._mark(site, SitePart.Outcome.LOST, "lost", "the work was called off before an answer came")

    def _take(self, done: Sequence[WorkItem], take: Take) -> dict[UUID, tuple[str, str]]:
        """Return code and text of each answer that does not hold; handlers write only once they have checked all."""
        wrong = {}
        sites = [item.organization_id for item in done]
        with self._desk.write():
            parts = SitePart.objects.select_for_update().filter(attempt=self._attempt, organization_id__in=sites)
            by_site = {part.organization_id: part for part in parts}
            # Vectors are large: one at a time.
            for item in WorkItem.objects.filter(pk__in=[item.pk for item in done]).iterator(1):
                try:
                    take(by_site[item.organization_id], item)
                except ConsiliumError as error:
                    wrong[item.organization_id] = (error.code, error.message)
        self._desk.at(f"{self._kind}_taken")
        return wrong

    def _give_up(self, site: UUID, pk: UUID, take: Take, outcome: str, code: str, reason: str) -> None:
        """Call the work off; an answer that came at the last moment still counts."""
        with self._desk.write():
            closed = work.close([pk])
        if closed == 0:
            self._settle({site: self._items([pk]).get()}, take)
            return
        del self._waiting[site]
        self._mark(site, outcome, code, f"{reason} in {self._kind}")

    def _mark(self, site: UUID, outcome: str, code: str, text: str) -> None:
        """Name a site that fails the attempt; its first failure stays."""
        attempt = self._attempt
        with self._desk.write():
            part = SitePart.objects.filter(attempt=attempt, organization_id=site, outcome__in=_LIVING)
            changed = part.update(outcome=outcome, step=self._kind, code=code[:80], text=text[:500])
            if not changed:
                return
            place = {"organization": str(site), "round": attempt.round.number, "attempt": attempt.number}
            if outcome == SitePart.Outcome.REFUSED:
                self._desk.record("training.site.refuse", reason=_code(code), **place)
            else:
                self._desk.record("training.site.lose", **place)

    def _errands(self) -> QuerySet[Errand]:
        return Errand.objects.filter(attempt=self._attempt, kind=self._kind)

    @staticmethod
    def _items(pks: Any) -> QuerySet[WorkItem]:
        # Vectors are large: they are read one at a time, when they are taken.
        return WorkItem.objects.filter(pk__in=list(pks)).defer("result", "result_bytes", "payload")


def call_off(attempt: Attempt) -> None:
    """Call off whatever sites still do for the attempt; inside `desk.write()`."""
    work.close(Errand.objects.filter(attempt=attempt).values_list("work_id", flat=True))


def result_of(item: WorkItem) -> Any:
    """Return a JSON answer; `AnswerInvalidError` where bytes came instead."""
    if item.result is None:
        raise AnswerInvalidError(f"The answer to {item.kind} is JSON.")
    return item.result


def _code(code: str) -> str:
    """A refusal's code as a record takes it: it is the site's own word."""
    return code if CODE.accepts(code) else "refused"
