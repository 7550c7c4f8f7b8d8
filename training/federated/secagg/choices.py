"""Choices that a site makes once an attempt, written down before their answer leaves."""

import enum
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from training.federated.errors import AlreadyChosenError
from training.federated.secagg.context import AttemptContext


class ChoiceKind(enum.StrEnum):
    DEALT = "dealt"
    MASKED = "masked"
    SIGNED = "signed"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class Choice:
    """One choice of one site; `value` is text by which a second, different choice is known (a digest, a bitmap)."""

    kind: ChoiceKind
    context: AttemptContext
    organization: uuid.UUID
    value: str

    def key(self) -> tuple[str, int, str, int, int, str]:
        """Return what a durable store keys the choice by: kind, chain, ledger and run, round, attempt, site."""
        place = f"{self.context.ledger.hex()}/{self.context.run}"
        return self.kind, self.context.chain_id, place, self.context.round, self.context.attempt, str(self.organization)


# Must return only once the choice is durable, and raise if the store already holds another one under its key.
Record = Callable[[Choice], None]


class ChoiceBook:
    """The choices of one site in one attempt: each durable before it is acted on, none made twice differently."""

    def __init__(self, context: AttemptContext, organization: uuid.UUID, record: Record) -> None:
        self._context = context
        self._organization = organization
        self._record = record
        self._made: dict[ChoiceKind, str] = {}

    @property
    def made(self) -> Mapping[ChoiceKind, str]:
        return self._made

    def ensure_open(self, kind: ChoiceKind, value: str) -> None:
        """Refuse a choice that contradicts one made before.

        Raises
        ------
        AlreadyChosenError
        """
        if self._made.get(kind, value) != value:
            raise AlreadyChosenError(f"This site has already {kind} otherwise in this attempt; open a new attempt.")

    def make(self, kind: ChoiceKind, value: str) -> None:
        """Record a choice durably; making the same one again does nothing."""
        self.ensure_open(kind, value)
        if kind not in self._made:
            self._record(Choice(kind, self._context, self._organization, value))
            self._made[kind] = value
