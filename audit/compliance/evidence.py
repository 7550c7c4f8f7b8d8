"""What a report is made from: plain values, so that a report is a pure function of what was found."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

Record = Mapping[str, Any]


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


@dataclass(frozen=True)
class Evidence:
    """Everything that a report may speak of. `reviewers` counts the exporter's own people by role."""

    consortium: str
    consortium_name: str
    exporter: str
    as_of: str
    organizations: Mapping[str, str]
    log: LogFacts
    records: Sequence[Record] = ()
    anchors: Sequence[AnchorFacts] = ()
    reviewers: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    consents: ConsentFacts | None = None

    def name_of(self, organization: str | None) -> str:
        """Return an organization's name, its id where no name is known, and "platform" for nobody's acts."""
        return self.organizations.get(organization, organization) if organization else "platform"
