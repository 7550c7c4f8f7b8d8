"""Rules: a grant's tree of provisions taken apart into flat pieces, one purpose, category and recipient each.

A rule has a rank within its group. Asked about one category and one recipient, a group answers by its rules of
the highest rank that speak about the question, a denial before a permit; `evaluation` says what "speak" means.
An exception has a rank above the provision around it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import product

from consent.domain.grants import Grant, LegalBasis
from consent.domain.provisions import Effect, Limit, Provision
from consent.domain.purposes import ANY_PURPOSE, covers, overlaps
from consent.domain.times import earliest
from consortium.kernel.errors import InvalidInputError

MAX_RULES = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A piece of a provision; None as category or recipient is any, as `valid_until` never.

    Conditions and legal basis belong to permits alone.
    """

    group: int = 0
    rank: int
    effect: Effect
    purpose: str
    category: str | None
    recipient: str | None
    conditions: frozenset[str]
    legal_basis: LegalBasis | None
    valid_from: datetime
    valid_until: datetime | None


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the provisions around leave; here an empty set is nothing."""

    purposes: Limit
    categories: Limit
    recipients: Limit
    conditions: frozenset[str]
    valid_from: datetime
    valid_until: datetime | None


def rules_of(grant: Grant) -> list[Rule]:
    """Return the grant's provisions as rules of one group, whatever the grant's state.

    A permit never reaches beyond the provision around it, nor back before the grant was recorded. A denial stands
    as written and takes from around it only what it leaves unsaid: shortening it would permit more.

    Raises
    ------
    InvalidInputError
        If they are more than `MAX_RULES`.
    """
    if grant.provision is None:
        return []
    everything = _Scope(None, None, None, frozenset(), grant.recorded_at, None)
    rules = []
    for rule in _rules(grant.provision, everything, 0, grant.legal_basis):
        rules.append(rule)
        if len(rules) > MAX_RULES:
            raise InvalidInputError(f"The provisions make more than {MAX_RULES} rules. Split the consent.")
    return rules


def has_expired(grant: Grant, at: datetime) -> bool:
    """Say whether everything that the grant says has ended; at `valid_until` itself it has."""
    return all(has_ended(rule, at) for rule in rules_of(grant))


def has_ended(rule: Rule, at: datetime) -> bool:
    """Say whether the rule says nothing from this instant on."""
    return rule.valid_until is not None and rule.valid_until <= at


def includes(wider: Rule, rule: Rule) -> bool:
    """Say whether the first rule speaks wherever the second does, whatever their effects and ranks."""
    return (
        covers(wider.purpose, rule.purpose)
        and wider.category in (None, rule.category)
        and wider.recipient in (None, rule.recipient)
        and wider.conditions <= rule.conditions
        and wider.valid_from <= rule.valid_from
        and earliest(wider.valid_until, rule.valid_until) == rule.valid_until
    )


def touches(one: Rule, other: Rule) -> bool:
    """Say whether some question concerns both rules."""
    return (
        overlaps(one.purpose, other.purpose)
        and (one.category is None or other.category in (None, one.category))
        and (one.recipient is None or other.recipient in (None, one.recipient))
        and not has_ended(one, other.valid_from)
        and not has_ended(other, one.valid_from)
    )


def _rules(provision: Provision, around: _Scope, rank: int, basis: LegalBasis) -> Iterator[Rule]:
    scope = (
        _permitted_scope(provision, around) if provision.effect is Effect.PERMIT else _denied_scope(provision, around)
    )
    if scope.valid_until is None or scope.valid_from < scope.valid_until:
        yield from _pieces(provision.effect, scope, rank, basis)
    for exception in provision.exceptions:
        yield from _rules(exception, scope, rank + 1, basis)


def _pieces(effect: Effect, scope: _Scope, rank: int, basis: LegalBasis) -> Iterator[Rule]:
    permits = effect is Effect.PERMIT
    purposes = frozenset({ANY_PURPOSE}) if scope.purposes is None else scope.purposes
    for purpose, category, recipient in product(purposes, _members(scope.categories), _members(scope.recipients)):
        yield Rule(
            rank=rank,
            effect=effect,
            purpose=purpose,
            category=category,
            recipient=recipient,
            conditions=scope.conditions if permits else frozenset(),
            legal_basis=basis if permits else None,
            valid_from=scope.valid_from,
            valid_until=scope.valid_until,
        )


def _members(limit: Limit) -> frozenset[str | None]:
    return frozenset({None}) if limit is None else frozenset(limit)


def _permitted_scope(provision: Provision, around: _Scope) -> _Scope:
    return _Scope(
        _common_purposes(around.purposes, provision.purposes),
        _common(around.categories, provision.categories),
        _common(around.recipients, provision.recipients),
        around.conditions | provision.conditions,
        max(around.valid_from, provision.valid_from or around.valid_from),
        earliest(around.valid_until, provision.valid_until),
    )


def _denied_scope(provision: Provision, around: _Scope) -> _Scope:
    return _Scope(
        around.purposes if provision.purposes is None else provision.purposes,
        around.categories if provision.categories is None else provision.categories,
        around.recipients if provision.recipients is None else provision.recipients,
        around.conditions,
        provision.valid_from or around.valid_from,
        provision.valid_until or around.valid_until,
    )


def _common(one: Limit, other: Limit) -> Limit:
    if one is None or other is None:
        return other if one is None else one
    return one & other


def _common_purposes(one: Limit, other: Limit) -> Limit:
    if one is None or other is None:
        return other if one is None else one
    narrower = (a if covers(b, a) else b for a, b in product(one, other) if overlaps(a, b))
    return frozenset(narrower)
