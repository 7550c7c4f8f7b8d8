"""Conflicts: how several grants of one subject become one set of effective provisions.

`deny_overrides`, the default: every active grant is heard, and what one of them denies stays denied whatever
another permits; a doubt never trains. Within one grant an exception goes before the provision around it.
`newest_wins`: where several grants speak about the same, the one recorded last decides, and only where it is
silent the ones before it; grants recorded in the same second are heard together, a denial first.

Both share the two measures of `evaluation`: a permit counts only where it covers the whole question, a denial
already where it overlaps it. A withdrawn grant says nothing at all, its denials included: whoever
withdraws consent must withdraw every active grant of the subject that permits the purpose.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from itertools import chain

from consent.domain.effective import MAX_EFFECTIVE_RULES, EffectiveProvisions, sort_key
from consent.domain.grants import Grant, GrantState
from consent.domain.provisions import MAX_DEPTH, Effect
from consent.domain.purposes import hierarchy_digest
from consent.domain.rules import Rule, has_ended, includes, rules_of, touches
from consent.domain.times import require_instant
from consortium.kernel.digests import digest_of
from consortium.kernel.errors import InvalidInputError

Group = frozenset[Rule]


class Combining(StrEnum):
    """How grants of one subject are combined."""

    DENY_OVERRIDES = "deny_overrides"
    NEWEST_WINS = "newest_wins"


@dataclass(frozen=True, slots=True)
class ConflictPolicy:
    """A conflict policy; its digest names the combining rule, this code's version of it and the tree of purposes."""

    combining: Combining = Combining.DENY_OVERRIDES

    def digest(self) -> str:
        """Return the policy digest that every set of effective provisions carries."""
        return digest_of(
            {
                "format": "consilium-conflict-policy/1",
                "combining": self.combining.value,
                "denial": "overlaps",
                "permit": "covers",
                "purposes": hierarchy_digest(),
            }
        )


DEFAULT_POLICY = ConflictPolicy()


def effective_provisions(
    grants: Iterable[Grant], at: datetime, policy: ConflictPolicy = DEFAULT_POLICY
) -> EffectiveProvisions:
    """Return what one subject permits from `at` on, given all grants of theirs.

    Counted are grants that are active and recorded not after `at`. What has ended by then is left out, so
    the result answers questions about `at` and later. Neither the order of the grants nor doubling one matters.

    Raises
    ------
    InvalidInputError
        If the result has more than `MAX_EFFECTIVE_RULES` rules.
    """
    require_instant(at, "at")
    counted = [grant for grant in grants if grant.state is GrantState.ACTIVE and grant.recorded_at <= at]
    groups = [_current(group, at) for group in _groups(counted, policy.combining)]
    rules = _canonical(groups)
    if len(rules) > MAX_EFFECTIVE_RULES:
        raise InvalidInputError(f"The subject's grants make more than {MAX_EFFECTIVE_RULES} rules. Retire some.")
    return EffectiveProvisions(policy.digest(), rules)


def _groups(grants: Sequence[Grant], combining: Combining) -> list[Group]:
    if combining is Combining.DENY_OVERRIDES:
        return [frozenset(rules_of(grant)) for grant in grants]
    order = {moment: index for index, moment in enumerate(sorted({grant.recorded_at for grant in grants}))}
    layers = ((order[grant.recorded_at] * MAX_DEPTH, rule) for grant in grants for rule in rules_of(grant))
    return [frozenset(replace(rule, rank=base + rule.rank) for base, rule in layers)]


def _current(group: Group, at: datetime) -> Group:
    return frozenset(rule for rule in group if not has_ended(rule, at))


def _canonical(groups: Iterable[Group]) -> tuple[Rule, ...]:
    """Merge the flat groups into group 0, leave out what changes no answer, number and sort the rest."""
    flat: set[Rule] = set()
    layered: set[Group] = set()
    for group in groups:
        if _is_flat(group):
            flat |= {replace(rule, rank=0) for rule in group}
        else:
            layered.add(_with_dense_ranks(_without_included(group)))
    flat = _without_effectless(_without_included(flat), layered)
    numbered = ([frozenset(flat)] if flat else []) + sorted(layered, key=_group_key)
    rules = (replace(rule, group=number) for number, group in enumerate(numbered) for rule in group)
    return tuple(sorted(rules, key=sort_key))


def _is_flat(group: Group) -> bool:
    """Say whether no permit ranks above a denial; then ranks decide nothing, a denial wins anyway."""
    permits = [rule.rank for rule in group if rule.effect is Effect.PERMIT]
    denials = [rule.rank for rule in group if rule.effect is Effect.DENY]
    return not permits or not denials or max(permits) <= min(denials)


def _without_included(rules: Iterable[Rule]) -> frozenset[Rule]:
    """Leave out a rule if another of the same effect, rank and legal basis speaks wherever it does."""
    distinct = frozenset(rules)
    return frozenset(
        rule for rule in distinct if not any(other != rule and _replaces(other, rule) for other in distinct)
    )


def _replaces(wider: Rule, rule: Rule) -> bool:
    same = (wider.effect, wider.rank, wider.legal_basis) == (rule.effect, rule.rank, rule.legal_basis)
    return same and includes(wider, rule)


def _without_effectless(flat: Iterable[Rule], layered: Iterable[Group]) -> set[Rule]:
    """Leave out permits that lie within a flat denial, then flat denials that touch no permit."""
    denials = [rule for rule in flat if rule.effect is Effect.DENY]
    permits = [
        rule for rule in flat if rule.effect is Effect.PERMIT and not any(includes(denial, rule) for denial in denials)
    ]
    others = [rule for rule in chain.from_iterable(layered) if rule.effect is Effect.PERMIT]
    return {*permits, *(denial for denial in denials if any(touches(denial, rule) for rule in [*permits, *others]))}


def _with_dense_ranks(group: Group) -> Group:
    dense = {rank: position for position, rank in enumerate(sorted({rule.rank for rule in group}))}
    return frozenset(replace(rule, rank=dense[rule.rank]) for rule in group)


def _group_key(group: Group) -> list[tuple[int, bytes]]:
    return sorted(map(sort_key, group))
