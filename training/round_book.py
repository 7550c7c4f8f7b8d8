"""The rows that some events of the ledger are about: read together, changed in memory, written together."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model

from audit.acts import Actor, Subject
from audit.recorder import Act, record_each_once
from consortium.common.bulk import insert_many, update_many
from consortium.kernel.identifiers import bytes32_to_uuid
from contracts.events import ChainEvent
from contracts.projections import Heard
from training.models import Attempt, Round, Run, SitePart
from training.notices import tell

Row = TypeVar("Row", bound=Model)
PROJECTOR = Actor.system("projector")


@dataclass
class Page:
    """One event and what it is about."""

    book: "RoundBook"
    event: ChainEvent
    correlation_id: str | None
    run: Run
    round: Round
    attempt: Attempt

    def part(self) -> SitePart:
        """The part of the site that the event names."""
        return self.book.part(self.attempt, bytes32_to_uuid(self.event.arguments["organization"]))

    def change(self, row: Model, **values: Any) -> None:
        self.book.change(row, **values)

    def record(self, action: str, **data: object) -> None:
        """Record an act on the run, once however often the event is read."""
        subject = Subject("run", str(self.run.pk))
        self.book.acts.append(Act(self.event.key, action, subject, data, self.correlation_id))


@dataclass
class RoundBook:
    """Runs under their locks, so that no coordinator writes meanwhile, with rounds, attempts and sites' parts.

    What the rows do not know is made from the event (a replay into an empty database).
    """

    consortium_id: UUID
    runs: dict[UUID, Run] = field(default_factory=dict)
    rounds: dict[tuple[UUID, int], Round] = field(default_factory=dict)
    attempts: dict[tuple[UUID, int], Attempt] = field(default_factory=dict)
    parts: dict[UUID, dict[UUID, SitePart]] = field(default_factory=dict)
    acts: list[Act] = field(default_factory=list)
    changed: dict[type[Model], dict[UUID, tuple[Model, set[str]]]] = field(default_factory=dict)

    @classmethod
    def of(cls, consortium_id: UUID, events: Sequence[ChainEvent]) -> "RoundBook":
        names = {(bytes32_to_uuid(event.arguments["run"]), event.arguments["round"]) for event in events}
        run_ids, numbers = {run for run, _ in names}, {number for _, number in names}
        book = cls(consortium_id)
        # First the runs: coordinators take their rows' locks in this order too.
        runs = Run.objects.select_for_update(no_key=True).filter(pk__in=run_ids).order_by("pk")
        book.runs = {run.pk: run for run in runs}
        rounds = Round.objects.filter(run_id__in=run_ids, number__in=numbers).order_by()
        book.rounds = {(one.run_id, one.number): one for one in rounds if (one.run_id, one.number) in names}
        attempts = Attempt.objects.filter(round__in=[one.pk for one in book.rounds.values()]).order_by()
        book.attempts = {(one.round_id, one.number): one for one in attempts}
        for one in SitePart.objects.filter(attempt__in=[one.pk for one in attempts]).order_by():
            book.parts.setdefault(one.attempt_id, {})[one.organization_id] = one
        return book

    def page(self, heard: Heard, number: int, weights: str = "") -> Page:
        """Open the book where an event belongs; `number` is the attempt's, `weights` those that it starts from."""
        event = heard.event
        run_id, round_number = bytes32_to_uuid(event.arguments["run"]), event.arguments["round"]
        if (run := self.runs.get(run_id)) is None:
            raise Run.DoesNotExist(f"The ledger speaks of run {run_id}, which it has not opened.")
        of_consortium = {"consortium_id": self.consortium_id, "run": run}
        if (round_ := self.rounds.get((run_id, round_number))) is None:
            round_ = Round(number=round_number, weights=weights or run.weights, **of_consortium)
            self.rounds[run_id, round_number] = round_
        if (attempt := self.attempts.get((round_.pk, number))) is None:
            attempt = Attempt(round=round_, number=number, weights=round_.weights, **of_consortium)
            self.attempts[round_.pk, number] = attempt
        return Page(self, event, heard.correlation_id, run, round_, attempt)

    def part(self, attempt: Attempt, organization_id: UUID) -> SitePart:
        of_attempt = self.parts.setdefault(attempt.pk, {})
        if (found := of_attempt.get(organization_id)) is None:
            found = SitePart(attempt=attempt, organization_id=organization_id, consortium_id=self.consortium_id)
            of_attempt[organization_id] = found
        return found

    def bands(self, attempt: Attempt) -> dict[UUID, int | None]:
        """The bands of the attempt's sites, as the ledger accepted them."""
        return {site: part.band for site, part in self.parts.get(attempt.pk, {}).items()}

    def change(self, row: Model, **values: Any) -> None:
        for name, value in values.items():
            setattr(row, name, value)
        if not row._state.adding:
            self.changed.setdefault(type(row), {}).setdefault(row.pk, (row, set()))[1].update(values)

    def close(self) -> None:
        """Write what is new and what has changed, and wake whoever follows the runs."""
        insert_many(_new(self.rounds.values()))
        insert_many(_new(self.attempts.values()))
        insert_many(_new(part for parts in self.parts.values() for part in parts.values()))
        for changes in self.changed.values():
            forms = {frozenset(names) for _, names in changes.values()}
            for form in forms:
                update_many([row for row, names in changes.values() if names == form], sorted(form))
        record_each_once(self.acts, consortium_id=self.consortium_id, actor=PROJECTOR)
        for run_id in self.runs:
            tell(run_id)


def _new(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row._state.adding]
