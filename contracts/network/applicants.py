"""Whoever keeps applications tells them here: the network's room lies below the one that knows members."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True)
class Applicant:
    """An organization that asks to belong, or belongs: what it said of its node is empty until it says it."""

    organization_id: UUID
    name: str
    consortium_id: UUID
    validator: str
    enode: str


Finder = Callable[[str, str], Applicant | None]
_FINDERS: list[Finder] = []


def finds_applicants(finder: Finder) -> Finder:
    """Register who finds an applicant by the short names of consortium and organization."""
    _FINDERS[:] = [finder]
    return finder


def find_applicant(consortium: str, organization: str) -> Applicant | None:
    """The application, or None if nobody knows one."""
    return next((found for finder in _FINDERS if (found := finder(consortium, organization))), None)
