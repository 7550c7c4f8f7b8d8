"""What the components of pages show, as values: a proof, a step of a timeline, a slice of a bar, a waiting thing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

Words = str | Promise


@dataclass(frozen=True, slots=True)
class ProofMark:
    """The proof behind one statement: who signed it, when, and where it stands for everybody.

    `state` is a state of a transaction, or a record's; `block` is None until the chain has it.
    """

    state: str
    signer: Words = ""
    when: datetime | None = None
    block: int | None = None
    digest: str = ""
    leaf: int | None = None

    @classmethod
    def of(cls, row: Any, signer: Words, when: datetime | None = None) -> "ProofMark":
        """The proof of a row that is a request until the chain confirms it."""
        return cls(row.chain_state, signer, when, row.confirmed_block, row.transaction_hash)

    @property
    def label(self) -> str:
        if self.state == "failed":
            return _("Refused by the chain")
        if self.state == "anchored" and self.leaf is not None:
            return _("Leaf %(leaf)s") % {"leaf": f"{self.leaf:,}"}
        if self.block is not None:
            return _("Block %(block)s") % {"block": f"{self.block:,}"}
        return {"recorded": _("Waits for the chain"), "submitted": _("Waits for a block")}.get(
            self.state, _("In the log, not anchored yet")
        )

    @property
    def css(self) -> str:
        if self.state == "failed":
            return "to-fail"
        return "" if self.state in {"confirmed", "anchored"} else "to-wait"

    @property
    def icon(self) -> str:
        return {"confirmed": "check", "anchored": "anchor", "failed": "circle-x"}.get(self.state, "send")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a timeline; `state` is `done`, `now`, `failed` or `todo`."""

    title: Words
    text: Words = ""
    when: datetime | None = None
    note: Words = ""
    state: str = "done"
    icon: str = "check"
    digest: str = ""

    @property
    def css(self) -> str:
        return {"done": "is-settled", "now": "is-underway", "failed": "is-refused"}.get(self.state, "")


@dataclass(frozen=True, slots=True)
class Slice:
    """A part of a bar: how many, what it means (`settled`, `refused`, ...: the name of a fill), and its word."""

    count: int
    meaning: str
    label: Words
    start: float = 0.0
    width: float = 0.0


def slices(*parts: tuple[int, str, Words]) -> list[Slice]:
    """Lay parts side by side as shares of their sum, in per cent; empty parts have no width."""
    total = sum(count for count, _meaning, _label in parts)
    laid, start = [], 0.0
    for count, meaning, label in parts:
        width = round(100 * count / total, 2) if total else 0.0
        laid.append(Slice(count, meaning, label, round(start, 2), width))
        start += width
    return laid


@dataclass(frozen=True, slots=True)
class Waiting:
    """A thing that waits for the person: what, why in one sentence, by when, and the one thing to do about it.

    `urgency` orders them, small first; `since` or `due` is shown beside it.
    """

    urgency: int
    icon: str
    title: Words
    text: Words
    url: str
    act: Words
    due: datetime | None = None
    since: datetime | None = None
    is_private: bool = False
