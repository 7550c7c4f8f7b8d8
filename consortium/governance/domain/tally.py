"""The arithmetic of votes, as the contracts have it: what is needed, what is reached, what is settled."""

from dataclasses import dataclass

WHOLE_BPS = 10_000


@dataclass(frozen=True)
class Rule:
    """The numbers of one kind of decision; shares in hundredths of a percent."""

    quorum_bps: int
    threshold_bps: int
    minimum_votes: int = 0


@dataclass(frozen=True)
class Count:
    """Ballots so far; `base` is who may vote, fixed at the opening.

    `owners` organizations must say yes for themselves, `owners_yes` did, and
    `owners_refused` tells that one cast another ballot.
    """

    base: int
    yes: int
    no: int
    abstain: int = 0
    owners: int = 0
    owners_yes: int = 0
    owners_refused: bool = False

    @property
    def cast(self) -> int:
        return self.yes + self.no + self.abstain


def is_approved(rule: Rule, count: Count) -> bool:
    """The outcome if no further ballot comes; a tie, or nobody eligible, is a rejection."""
    return (
        count.owners_yes == count.owners and _is_quorate(rule, count, count.cast) and _passes(rule, count.yes, count.no)
    )


def is_settled(rule: Rule, count: Count) -> bool:
    """Whether the missing ballots, however cast or not cast, leave the outcome as it is."""
    missing = count.base - count.cast
    if is_approved(rule, count):
        return _passes(rule, count.yes, count.no + missing)
    return (
        count.owners_refused
        or not _is_quorate(rule, count, count.base)
        or not _passes(rule, count.yes + missing, count.no)
    )


def yes_needed_for_act(active: int) -> int:
    """Yes votes that a constitutional act needs: two thirds of all active organizations, rounded up."""
    return -(-2 * active // 3)


def yes_needed(rule: Rule, base: int) -> int:
    """The fewest yes votes with which a decision passes if everybody votes: the line on the screen."""
    return next((yes for yes in range(base + 1) if _passes(rule, yes, base - yes)), base + 1)


def _is_quorate(rule: Rule, count: Count, cast: int) -> bool:
    return count.base != 0 and cast >= rule.minimum_votes and cast * WHOLE_BPS >= rule.quorum_bps * count.base


def _passes(rule: Rule, yes: int, no: int) -> bool:
    return yes > no and yes * WHOLE_BPS >= rule.threshold_bps * (yes + no)
