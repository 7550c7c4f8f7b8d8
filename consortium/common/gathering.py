"""What many small steps leave to be done once for all of them, at the end of the whole that they are part of."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol, TypeVar


class Gathering(Protocol):
    """Collects what steps leave to it."""

    def finish(self) -> None:
        """Do it."""


G = TypeVar("G", bound=Gathering)
_open: ContextVar[dict[type[Any], Any] | None] = ContextVar("gatherings", default=None)


@contextmanager
def gathering() -> Iterator[None]:
    """Let steps leave work for the end of this block; it is done in the order in which its kinds were first left.

    Where the block fails nothing of it is done; a failure at its end is the block's.
    """
    found: dict[type[Any], Any] = {}
    token = _open.set(found)
    try:
        yield
        while found:
            found.pop(next(iter(found))).finish()
    finally:
        _open.reset(token)


def gathered(kind: type[G]) -> G | None:
    """The collection of this kind of the block under way, made at the first call; None outside `gathering`."""
    if (found := _open.get()) is None:
        return None
    if kind not in found:
        found[kind] = kind()
    made: G = found[kind]
    return made


def finish_now(kind: type[Gathering]) -> None:
    """Do what was left to this kind so far: for a step that must come after it."""
    if (found := _open.get()) is not None and kind in found:
        found.pop(kind).finish()
