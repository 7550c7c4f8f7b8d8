"""Evaluation: may this subject's data be used for this purpose, by these recipients, over this time?

The meaning, which `evaluation_sql` (PostgreSQL) and `cohorts` (the agent's SQLite) repeat on data paths of
their own. A question is taken apart into its pairs of one category and one recipient. For each pair:

- a permit speaks if its purpose covers the asked one, its category and recipient are any or the pair's, its
  window holds the whole of [at, until), and the plan meets all its conditions;
- a denial speaks if its purpose overlaps the asked one, its category and recipient are any or the pair's, and
  its window meets [at, until) anywhere;
- a group answers by the highest rank that speaks, a denial before a permit.

Permitted is what, for every pair, at least one group permits and no group denies.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import product

from consent.domain.effective import EffectiveProvisions
from consent.domain.provisions import Effect, require_category, require_organization
from consent.domain.purposes import (
    ANCESTRY_RESEARCH,
    NO_ANCESTRY_RESEARCH,
    covers,
    implied_conditions,
    overlaps,
    require_exact_purpose,
)
from consent.domain.rules import Rule
from consent.domain.times import earliest, require_instant
from consortium.kernel.errors import InvalidInputError

MAX_PAIRS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a plan asks of every subject; the window [at, until) is a round's, from its `asOf` to its bound.

    `conditions` are the DUO modifiers that the plan states it keeps.
    """

    purpose: str
    categories: frozenset[str]
    recipients: frozenset[str]
    at: datetime
    until: datetime
    conditions: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        require_exact_purpose(self.purpose)
        for token in self.categories:
            require_category(token)
        for recipient in self.recipients:
            require_organization(recipient)
        if not 0 < len(self.categories) * len(self.recipients) <= MAX_PAIRS:
            raise InvalidInputError("Name the categories of data and the recipients that the question is about.")
        if require_instant(self.at, "at") >= require_instant(self.until, "until"):
            raise InvalidInputError("The question's time ends before it begins.")
        if NO_ANCESTRY_RESEARCH in self.met_conditions and covers(ANCESTRY_RESEARCH, self.purpose):
            raise InvalidInputError("A plan for ancestry research cannot state that it does none (DUO:0000044).")

    @property
    def met_conditions(self) -> frozenset[str]:
        """The conditions that the plan meets, those that follow from what it states included."""
        return implied_conditions(self.purpose, self.conditions)


class Reason(StrEnum):
    """Why a question is answered as it is.

    A permit that lies wholly within a denial is not in the effective provisions, nor is then the denial: such a
    subject answers "not permitted", and only their grants, at the site, tell a refusal from silence.
    """

    PERMITTED = "permitted"
    DENIED = "denied"
    CONDITION_NOT_STATED = "condition_not_stated"
    OUTSIDE_VALIDITY = "outside_validity"
    NOT_PERMITTED = "not_permitted"


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer; `unmet_conditions` are what the plan would have to state, sorted."""

    permitted: bool
    reason: Reason
    unmet_conditions: tuple[str, ...] = ()


def is_permitted(effective: EffectiveProvisions, question: Question) -> Decision:
    """Answer the question for the subject whose effective provisions these are.

    `effective` must have been made for a time not after `question.at`, since what had ended by then is not in it.
    """
    answers = {pair: _answers(effective, question, pair) for pair in _pairs(question)}
    if any(Effect.DENY in answer for answer in answers.values()):
        return Decision(False, Reason.DENIED)
    open_pairs = [pair for pair, answer in answers.items() if not answer]
    if not open_pairs:
        return Decision(True, Reason.PERMITTED)
    return min((_explained(effective, question, pair) for pair in open_pairs), key=lambda it: _WEIGHT[it.reason])


# Of several pairs the one that is furthest from being permitted gives the reason.
_WEIGHT = {Reason.NOT_PERMITTED: 0, Reason.OUTSIDE_VALIDITY: 1, Reason.CONDITION_NOT_STATED: 2}
_Pair = tuple[str, str]


def _pairs(question: Question) -> Iterator[_Pair]:
    return product(sorted(question.categories), sorted(question.recipients))


def _answers(effective: EffectiveProvisions, question: Question, pair: _Pair) -> set[Effect]:
    best: dict[int, tuple[int, bool]] = {}
    for rule in effective.rules:
        if _speaks(rule, question, pair):
            found = (rule.rank, rule.effect is Effect.DENY)
            best[rule.group] = max(best.get(rule.group, found), found)
    return {Effect.DENY if denies else Effect.PERMIT for _, denies in best.values()}


def _speaks(rule: Rule, question: Question, pair: _Pair) -> bool:
    if rule.effect is Effect.PERMIT:
        return (
            _is_about(rule, question, pair)
            and _holds_window(rule, question)
            and rule.conditions <= question.met_conditions
        )
    ended = rule.valid_until is not None and rule.valid_until <= question.at
    return (
        _matches(rule, pair)
        and overlaps(rule.purpose, question.purpose)
        and rule.valid_from < question.until
        and not ended
    )


def _is_about(permit: Rule, question: Question, pair: _Pair) -> bool:
    return _matches(permit, pair) and covers(permit.purpose, question.purpose)


def _matches(rule: Rule, pair: _Pair) -> bool:
    return rule.category in (None, pair[0]) and rule.recipient in (None, pair[1])


def _holds_window(permit: Rule, question: Question) -> bool:
    return permit.valid_from <= question.at and earliest(permit.valid_until, question.until) == question.until


def _explained(effective: EffectiveProvisions, question: Question, pair: _Pair) -> Decision:
    permits = [rule for rule in effective.rules if rule.effect is Effect.PERMIT and _is_about(rule, question, pair)]
    current = [rule for rule in permits if _holds_window(rule, question)]
    if current:
        unmet = min(
            (sorted(rule.conditions - question.met_conditions) for rule in current), key=lambda it: (len(it), it)
        )
        return Decision(False, Reason.CONDITION_NOT_STATED, tuple(unmet))
    return Decision(False, Reason.OUTSIDE_VALIDITY if permits else Reason.NOT_PERMITTED)
