"""The meaning of grants said a second time, by sets of what is allowed instead of rules and ranks.

A scope is the set of purposes, categories and recipients of a small world that a provision speaks about, with
the ends of its window. Nothing here uses `rules`, `conflicts` or `effective`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from consent.domain.evaluation import Question
from consent.domain.grants import Grant, GrantState
from consent.domain.provisions import Effect, Provision
from consent.domain.purposes import covers
from tests.unit.consent.sql_cases import CATEGORIES, PURPOSES, RECIPIENTS, day

UNIVERSE = frozenset({*PURPOSES, "DUO:0000007", "DUO:0000007[MONDO:9999999]", "DUO:0000043"})
FAR = day(10_000)


@dataclass(frozen=True)
class Scope:
    purposes: frozenset[str]
    categories: frozenset[str]
    recipients: frozenset[str]
    conditions: frozenset[str]
    start: datetime
    end: datetime


def below(purposes: frozenset[str]) -> frozenset[str]:
    return frozenset(one for one in UNIVERSE if any(covers(wider, one) for wider in purposes))


def scope_of(provision: Provision, around: Scope) -> Scope:
    purposes = around.purposes if provision.purposes is None else below(provision.purposes)
    categories = provision.categories or around.categories
    recipients = provision.recipients or around.recipients
    start, end = provision.valid_from or around.start, provision.valid_until or around.end
    if provision.effect is Effect.DENY:
        return replace(around, purposes=purposes, categories=categories, recipients=recipients, start=start, end=end)
    return Scope(
        purposes & around.purposes,
        categories & around.categories,
        recipients & around.recipients,
        around.conditions | provision.conditions,
        max(start, around.start),
        min(end, around.end),
    )


def heard(provision: Provision, around: Scope, question: Question, pair: tuple[str, str]) -> list[tuple[int, bool]]:
    """Return (depth, is a denial) of each provision that speaks about the pair, this one at depth 0."""
    scope = scope_of(provision, around)
    here = []
    if scope.start < scope.end and pair[0] in scope.categories and pair[1] in scope.recipients:
        if provision.effect is Effect.DENY:
            meets = scope.start < question.until and question.at < scope.end
            if meets and scope.purposes & below(frozenset({question.purpose})):
                here = [(0, True)]
        elif question.purpose in scope.purposes and scope.conditions <= question.met_conditions:
            here = [(0, False)] if scope.start <= question.at and question.until <= scope.end else []
    inner = [answer for exception in provision.exceptions for answer in heard(exception, scope, question, pair)]
    return here + [(depth + 1, denies) for depth, denies in inner]


def answer_of(grant: Grant, question: Question, pair: tuple[str, str]) -> list[tuple[int, bool]]:
    everything = Scope(UNIVERSE, frozenset(CATEGORIES), frozenset(RECIPIENTS), frozenset(), grant.recorded_at, FAR)
    assert grant.provision is not None
    return heard(grant.provision, everything, question, pair)


def counted(grants: Sequence[Grant], at: datetime) -> list[Grant]:
    return [grant for grant in grants if grant.state is GrantState.ACTIVE and grant.recorded_at <= at]


def denies_override(grants: Sequence[Grant], at: datetime, question: Question) -> bool:
    """Each grant answers by its deepest provision, a denial first; one permits and none denies each pair."""
    for pair in ((a, b) for a in question.categories for b in question.recipients):
        answers = [max(found)[1] for grant in counted(grants, at) if (found := answer_of(grant, question, pair))]
        if any(answers) or not answers:
            return False
    return True


def newest_wins(grants: Sequence[Grant], at: datetime, question: Question) -> bool:
    """For each pair the newest grants that say anything decide, by their deepest provision, a denial first."""
    for pair in ((a, b) for a in question.categories for b in question.recipients):
        answers = [
            (grant.recorded_at, depth, denies)
            for grant in counted(grants, at)
            for depth, denies in answer_of(grant, question, pair)
        ]
        if not answers or max(answers)[2]:
            return False
    return True
