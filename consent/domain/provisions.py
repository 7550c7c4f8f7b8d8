"""Provisions: what a person permits or denies, as a tree like FHIR's `Consent.provision`.

A provision says its effect over four dimensions (purposes, categories of data, recipients, time); its exceptions
say otherwise within it. None in a dimension means: as the provision around says, and at the root: any. An empty
set would read as nothing and as everything, and is refused.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from consent.domain.purposes import require_conditions, require_exact_purpose, require_purpose
from consent.domain.times import require_instant
from consortium.kernel.errors import InvalidInputError

Limit = frozenset[str] | None

MAX_DEPTH = 6
MAX_PROVISIONS = 64
RESOURCE_TYPES = "http://hl7.org/fhir/resource-types"
_ORGANIZATION = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
# FHIR's token notation, system|code, without spaces or anything unprintable
_CATEGORY = re.compile(r"[!-{}~]{1,200}\|[!-{}~]{1,64}\Z")


class Effect(StrEnum):
    """What a provision does with what it speaks about (FHIR `consent-provision-type`)."""

    PERMIT = "permit"
    DENY = "deny"


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """One provision; `recipients` are organizations' UUIDs, None is every member of the consortium.

    `conditions` are DUO modifiers that a plan must state for the permit to hold. The window is half-open,
    [valid_from, valid_until): at `valid_until` itself nothing is permitted any more.
    """

    effect: Effect
    purposes: Limit = None
    categories: Limit = None
    recipients: Limit = None
    conditions: frozenset[str] = frozenset()
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    exceptions: "tuple[Provision, ...]" = ()

    def __post_init__(self) -> None:
        for limit in (self.purposes, self.categories, self.recipients):
            if limit is not None and not limit:
                raise InvalidInputError("A provision is limited to nothing. Name what it speaks about, or leave it.")
        require = require_exact_purpose if self.effect is Effect.PERMIT else require_purpose
        for purpose in self.purposes or ():
            require(purpose)
        for token in self.categories or ():
            require_category(token)
        for recipient in self.recipients or ():
            require_organization(recipient)
        if require_conditions(self.conditions) and self.effect is Effect.DENY:
            raise InvalidInputError("A denial has conditions; only a permit can be limited by them.")
        _require_window(self.valid_from, self.valid_until)

    def walk(self, depth: int = 0) -> "Iterator[tuple[int, Provision]]":
        """Yield the provision and everything in it with its depth, the root first at depth 0."""
        yield depth, self
        for exception in self.exceptions:
            yield from exception.walk(depth + 1)


def category(code: str, *, system: str = RESOURCE_TYPES) -> str:
    """Return the token of a category of data, by default one of FHIR's resource types."""
    return require_category(f"{system}|{code}")


def require_category(token: str) -> str:
    """Return the token if it is written system|code; `InvalidInputError` otherwise."""
    if not _CATEGORY.match(token):
        raise InvalidInputError("A category of data is written system|code, without spaces.")
    return token


def require_organization(identifier: str) -> str:
    """Return the identifier if it is a UUID in its canonical spelling; `InvalidInputError` otherwise."""
    if not _ORGANIZATION.match(identifier):
        raise InvalidInputError("A recipient is an organization's UUID in lower case, with its hyphens.")
    return identifier


def require_root(provision: Provision) -> Provision:
    """Return the provision if it can stand alone; `InvalidInputError` otherwise.

    Consent is given for specific purposes (GDPR Art. 6(1)(a)), so a permit must name some, itself or around it.
    """
    nodes = list(provision.walk())
    if len(nodes) > MAX_PROVISIONS or max(depth for depth, _ in nodes) >= MAX_DEPTH:
        raise InvalidInputError(f"At most {MAX_PROVISIONS} provisions, nested at most {MAX_DEPTH} deep, are read.")
    _require_purposes(provision, inherited=False)
    return provision


def _require_purposes(provision: Provision, *, inherited: bool) -> None:
    named = inherited or provision.purposes is not None
    if provision.effect is Effect.PERMIT and not named:
        raise InvalidInputError("A permit names no purpose. Say what for.")
    for exception in provision.exceptions:
        _require_purposes(exception, inherited=named)


def _require_window(valid_from: datetime | None, valid_until: datetime | None) -> None:
    start = valid_from and require_instant(valid_from, "valid from")
    end = valid_until and require_instant(valid_until, "valid until")
    if start and end and start >= end:
        raise InvalidInputError("A provision ends before it begins.")
