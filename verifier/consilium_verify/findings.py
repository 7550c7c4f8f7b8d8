"""What a verification says: checked, assumed, not checked, and refused, each refusal with its place."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


class RefusedError(Exception):
    """Something in the bundle is not as it must be; the message says what."""


class TrustFileError(Exception):
    """The trust file cannot be used; that is the asker's to mend and says nothing about the bundle."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """The place (file, record, proof or signature) and the reason, in plain words."""

    where: str
    reason: str


@dataclass(slots=True)
class Findings:
    """Collected while a bundle is read, so that one fault does not hide the next."""

    checked: list[str] = field(default_factory=list)
    assumed: list[str] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, where: str, reason: str) -> None:
        """Note a refusal."""
        self.refusals.append(Refusal(where, reason))

    @contextmanager
    def at(self, where: str) -> Iterator[None]:
        """Turn a `RefusedError` raised inside into a refusal at this place, and go on after it."""
        try:
            yield
        except RefusedError as error:
            self.refuse(where, str(error))
