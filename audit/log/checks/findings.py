"""What fsck finds: each names the log, and the leaf and record where it can."""

from dataclasses import dataclass, field
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Finding:
    """One contradiction. `index` is the leaf where it shows first; `record` is known where it concerns one."""

    code: str
    text: str
    index: int | None = None
    record: UUID | None = None


@dataclass
class Report:
    """The result for one log: what was re-derived, and what contradicts it."""

    origin: str
    leaves: int = 0
    checkpoints: int = 0
    anchors: int = 0
    findings: list[Finding] = field(default_factory=list)

    @property
    def well(self) -> bool:
        return not self.findings

    @property
    def first(self) -> Finding | None:
        """The finding at the lowest leaf; those that concern no leaf come last."""
        return min(self.findings, key=_place, default=None)


def _place(finding: Finding) -> tuple[bool, int]:
    return (finding.index is None, finding.index or 0)
