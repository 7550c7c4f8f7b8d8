"""What a report is made from: plain values, so that a report is a pure function of what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from audit.compliance.periods import Period
from audit.compliance.training_facts import ModelFacts, TrainingFacts, rounds_within

Record = Mapping[str, Any]
# Whoever acts as a person of no organization: nobody else writes so into a consortium's log.
AUDITOR = "the consortium's auditor"
OF_EACH_MEMBER = "Each member's own: the consortium's auditor, who exported this, sees what all members see."


@dataclass(frozen=True, slots=True)
class LogFacts:
    """A log as it was re-derived from its records: `root` is the checkpoint's, written 0x."""

    origin: str
    key: str
    size: int
    root: str
    checkpoints: int
    quorum: int | None


@dataclass(frozen=True, slots=True)
class AnchorFacts:
    """One checkpoint on the chain: block time in UTC (RFC 3339), witnesses by organization id."""

    size: int
    root: str
    block: int
    block_time: str
    transaction: str
    witnesses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EpochFacts:
    """The newest confirmed consent epoch of one member; `band` in words, never a count."""

    organization: str
    epoch: int
    seq: int
    band: str
    root: str
    as_of: str
    block: int | None


@dataclass(frozen=True, slots=True)
class WithdrawalFacts:
    """The exporter's own withdrawals: bands in words, times in whole seconds."""

    recorded: str | None
    received: str | None
    confirmed: str | None
    median_seconds: int | None
    longest_seconds: int | None


NO_WITHDRAWALS = WithdrawalFacts(None, None, None, None, None)


@dataclass(frozen=True, slots=True)
class ConsentFacts:
    """What the exporter may see of consents: its own in bands, the members' newest epochs."""

    grants: Mapping[str, str]
    batches: int
    withdrawals: WithdrawalFacts
    epochs: Sequence[EpochFacts]


@dataclass(frozen=True, slots=True)
class MemberFacts:
    """An organization that is or was a member; `country` by ISO 3166-1, empty where it is not on record."""

    organization: str
    name: str
    country: str
    status: str


@dataclass(frozen=True, slots=True)
class PredictionFacts:
    """Rows that the exporter's own people had scored by one model: `rows` in words, times of first and last request."""

    model: str
    purpose: str
    purpose_code: str
    first: str
    last: str
    requests: int
    rows: str


@dataclass(frozen=True, slots=True)
class BatchFacts:
    """A batch of pseudonymous consents that the exporter's site gave to the platform; `consents` in words."""

    time: str
    consents: str
    digest: str


@dataclass(frozen=True, slots=True)
class ProtectionFacts:
    """What the platform enforces: tables behind forced row level security, the policy in force by its digest."""

    guarded_tables: int
    policy: str


@dataclass(frozen=True)
class Evidence:
    """Everything that a report may speak of. `reviewers` counts the exporter's own people by role.

    `exporter` is empty where the consortium's auditor exports, who has no side of their own.
    """

    consortium: str
    consortium_name: str
    exporter: str
    as_of: str
    organizations: Mapping[str, str]
    log: LogFacts
    period: Period
    records: Sequence[Record] = ()
    anchors: Sequence[AnchorFacts] = ()
    reviewers: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    consents: ConsentFacts | None = None
    members: Sequence[MemberFacts] = ()
    training: TrainingFacts = field(default_factory=TrainingFacts)
    model: ModelFacts | None = None
    predictions: Sequence[PredictionFacts] = ()
    batches: Sequence[BatchFacts] = ()
    protection: ProtectionFacts | None = None

    @property
    def is_by_auditor(self) -> bool:
        """Whether no organization exports, but the consortium's auditor."""
        return not self.exporter

    def within_period(self) -> "Evidence":
        """Return what belongs to the period. Log and anchors stay: the proof covers every record."""
        return replace(
            self,
            records=[record for record in self.records if self.period.covers(record["recorded_at"])],
            training=self.training.within(self.period),
            model=self._model_within(),
            batches=[batch for batch in self.batches if self.period.covers(batch.time)],
        )

    def _model_within(self) -> ModelFacts | None:
        model = self.model
        if model is None:
            return None
        votes = tuple(vote for vote in model.votes if self.period.covers(vote.opened))
        return replace(model, votes=votes, run=replace(model.run, rounds=rounds_within(model.run, self.period)))

    def member(self, organization: str) -> MemberFacts | None:
        """Return what is on record of a member."""
        return next((member for member in self.members if member.organization == organization), None)

    def name_of(self, organization: str | None) -> str:
        """Return an organization's name, its id where no name is known, and "platform" for nobody's acts."""
        return self.organizations.get(organization, organization) if organization else "platform"

    def actor_of(self, record: Record) -> str:
        """Return who acted, as reports name it: an organization, an auditor, or the platform."""
        actor = record["actor"]
        if actor["organization"] is None and actor["kind"] == "person":
            return AUDITOR
        return self.name_of(actor["organization"])
