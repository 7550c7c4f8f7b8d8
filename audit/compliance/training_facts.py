"""What reports know of training: plans, runs, rounds, models and data sets, as plain values; cohorts in words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from audit.compliance.periods import Period


@dataclass(frozen=True, slots=True)
class BallotFacts:
    """One organization's vote; `time` is its block's, in UTC (RFC 3339)."""

    organization: str
    choice: str
    block: int | None
    time: str | None


@dataclass(frozen=True, slots=True)
class VoteFacts:
    """A decision of the members; `base` is how many may vote, `decided` the time of the deciding block."""

    subject: str
    kind: str
    author: str
    state: str
    opened: str | None
    decided: str | None
    block: int | None
    base: int
    ballots: tuple[BallotFacts, ...]

    def count(self, choice: str) -> int:
        """Return how many ballots say so."""
        return sum(ballot.choice == choice for ballot in self.ballots)


@dataclass(frozen=True, slots=True)
class PlanFacts:
    """A plan as its document has it; purposes as code and words, columns as name and kind, numbers as written there."""

    digest: str
    title: str
    author: str
    state: str
    made: str
    purpose: str
    serving_purpose: str
    serving_code: str
    conditions: tuple[str, ...]
    categories: tuple[str, ...]
    recipients: tuple[str, ...]
    sites: tuple[str, ...]
    columns: tuple[tuple[str, str], ...]
    features: tuple[str, ...]
    target: str
    algorithm: str
    settings: tuple[tuple[str, str], ...]
    metrics: tuple[str, ...]
    threshold: int
    colluders: int
    minimum_sites: int
    minimum_cohort: int
    verifiers: int
    code_digest: str
    runner_digest: str


@dataclass(frozen=True, slots=True)
class SiteFacts:
    """A site in the attempt that closed a round; `cohort` in words."""

    organization: str
    cohort: str | None
    epoch: int | None


@dataclass(frozen=True, slots=True)
class RoundFacts:
    """A closed round. Figures are of the weights it started from; `seconds` from its announcement to its close."""

    number: int
    attempts: int
    closed: str
    block: int | None
    seconds: int | None
    sites: tuple[SiteFacts, ...]
    weights: str
    next_weights: str
    figures: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RunFacts:
    """A run and its closed rounds; without a plan it is known from the chain alone."""

    id: str
    plan: PlanFacts | None
    plan_digest: str
    author: str
    backend: str
    state: str
    started: str | None
    ended: str | None
    rounds: tuple[RoundFacts, ...]

    @property
    def title(self) -> str:
        return self.plan.title if self.plan else "A plan known from the chain alone"


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """One model, the run that made it, and the decisions on both."""

    id: str
    digest: str
    card: str
    state: str
    author: str
    made: str
    block: int | None
    released_block: int | None
    recalled_block: int | None
    limits: tuple[str, ...]
    # Digests of released or superseded models of the same plan that were made earlier.
    earlier: tuple[str, ...]
    run: RunFacts
    votes: tuple[VoteFacts, ...]


@dataclass(frozen=True, slots=True)
class ColumnFacts:
    """A column of a data set; categories are as many as it lists, never its values."""

    name: str
    kind: str
    unit: str
    categories: int


@dataclass(frozen=True, slots=True)
class DataSetFacts:
    """A data set as its site registered it; `size` in words."""

    organization: str
    name: str
    size: str
    columns: tuple[ColumnFacts, ...]
    purposes: tuple[str, ...]
    conditions: tuple[str, ...]
    signed: str
    schema_digest: str
    digest: str


@dataclass(frozen=True, slots=True)
class TrainingFacts:
    """What the members train and on what."""

    plans: Sequence[PlanFacts] = ()
    runs: Sequence[RunFacts] = ()
    data_sets: Sequence[DataSetFacts] = ()

    def within(self, period: Period) -> "TrainingFacts":
        """Return rounds of the period alone, with their runs, and what was there before its end."""
        runs = [replace(run, rounds=rounds_within(run, period)) for run in self.runs]
        return TrainingFacts(
            plans=[plan for plan in self.plans if period.reaches(plan.made)],
            runs=[run for run in runs if run.rounds or period.covers(run.started)],
            data_sets=[one for one in self.data_sets if period.reaches(one.signed)],
        )


def rounds_within(run: RunFacts, period: Period) -> tuple[RoundFacts, ...]:
    """Return the rounds that were closed in the period."""
    return tuple(one for one in run.rounds if period.covers(one.closed))
