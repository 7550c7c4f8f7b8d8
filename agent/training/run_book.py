"""What training took from this site's records, from its own journal and manifests: exact, for the member's own eyes.

There is no differential privacy yet, so nothing here is a budget. What can be said is which cohort stood behind each
attempt, whether this site's shares were released (only then is a sum opened), and for which plan.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from agent.journal import Entry, Journal
from agent.training.plan_shelf import PlanShelf
from agent.training.runs_folder import RunsFolder
from consortium.kernel.manifests import CohortManifest
from training.federated.plan_document import PlanDocument

_MOST = 100_000


@dataclass(frozen=True, slots=True)
class Attempted:
    """One attempt: how many subjects stood behind it, how many rows were read, and how far this site went."""

    round: int
    attempt: int
    cohort: int
    band: int
    epoch: int
    rows: int
    has_sent: bool
    has_released: bool
    manifest: str
    time: str

    @property
    def state(self) -> str:
        """Return `released`, `masked` (bytes left, no share did) or `committed` (nothing of the records left)."""
        return "released" if self.has_released else "masked" if self.has_sent else "committed"


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run of a plan at this site; `plan` is None where the site has not kept its document."""

    id: uuid.UUID
    consortium: uuid.UUID
    plan_digest: str
    plan: PlanDocument | None
    attempts: tuple[Attempted, ...]
    refusals: tuple[tuple[str, str], ...]

    def with_plan(self, plan: PlanDocument | None) -> "RunRecord":
        return replace(self, plan=plan)

    @property
    def released(self) -> tuple[Attempted, ...]:
        """The attempts of which a sum may have been opened with this site's part in it."""
        return tuple(one for one in self.attempts if one.has_released)

    @property
    def rounds_released(self) -> int:
        return len({one.round for one in self.released})

    @property
    def abandoned(self) -> int:
        """How many attempts took a cohort and released nothing."""
        return len(self.attempts) - len(self.released)

    @property
    def largest_cohort(self) -> int:
        return max((one.cohort for one in self.released), default=0)


@dataclass(frozen=True, slots=True)
class Total:
    """What several runs took together."""

    runs: int
    rounds: int
    abandoned: int
    largest_cohort: int


class RunBook:
    """Reads one member's runs."""

    def __init__(self, *, runs: RunsFolder, journal: Journal, plans: PlanShelf) -> None:
        self._runs = runs
        self._journal = journal
        self._plans = plans

    def all(self) -> list[RunRecord]:
        """Return every run that this site committed to, the newest first."""
        found = [self.find(run) for run in self._runs.runs()]
        return sorted((one for one in found if one), key=lambda run: run.attempts[-1].time, reverse=True)

    def find(self, run: uuid.UUID) -> RunRecord | None:
        """Return one run; None if this site committed nothing to it."""
        manifests = self._runs.manifests(run)
        if not manifests:
            return None
        where = "(kind LIKE 'attempt.%' OR kind IN ('records', 'work')) AND instr(detail, ?) > 0"
        entries = self._journal.select(where, f'"run":"{run}"', limit=_MOST, oldest_first=True)
        attempts = tuple(_attempted(manifest, entries) for manifest in manifests)
        first = manifests[0]
        digest = first.attempt.plan
        refusals = tuple(
            (entry.time, str(entry.detail.get("reason", "")))
            for entry in reversed(entries)
            if entry.kind == "work" and entry.outcome == "refused"
        )
        return RunRecord(run, first.context.consortium, digest, self._plans.find(digest), attempts, refusals)


def total(runs: Iterable[RunRecord]) -> Total:
    """Add runs up; cohorts of several rounds hold the same people, so the largest stands for all."""
    runs = list(runs)
    return Total(
        len(runs),
        sum(run.rounds_released for run in runs),
        sum(run.abandoned for run in runs),
        max((run.largest_cohort for run in runs), default=0),
    )


def _attempted(manifest: CohortManifest, entries: list[Entry]) -> Attempted:
    place = manifest.attempt
    here = [entry for entry in entries if _is_of(entry.detail, place.round, place.attempt)]
    kinds = {entry.kind for entry in here if entry.outcome in ("decided", "read")}
    rows = next((int(entry.detail.get("rows", 0)) for entry in here if entry.kind == "records"), 0)
    return Attempted(
        round=place.round,
        attempt=place.attempt,
        cohort=manifest.count,
        band=manifest.band,
        epoch=manifest.state.epoch,
        rows=rows,
        has_sent="attempt.masked" in kinds,
        has_released="attempt.released" in kinds,
        manifest=manifest.digest(),
        time=here[-1].time if here else "",
    )


def _is_of(detail: Mapping[str, object], number: int, attempt: int) -> bool:
    return (detail.get("round"), detail.get("attempt")) == (number, attempt)
