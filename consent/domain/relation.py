"""The flat relation that both databases evaluate: one row for each rule of each subject.

| column | PostgreSQL | SQLite | what |
|---|---|---|---|
| subject | text | TEXT | the pseudonym |
| rule_group, rule_rank | integer | INTEGER | which group, and the rank within it |
| effect | text | TEXT | `permit` or `deny` |
| purpose | text | TEXT | the purpose's token |
| purpose_path | text | TEXT | its lineage, each token between slashes: `/DUO:0000004/DUO:0000042/` |
| category, recipient | text, null is any | TEXT | system|code; an organization's UUID |
| conditions | text[] | TEXT, a JSON array | DUO modifiers that the plan must meet |
| valid_from | timestamptz | INTEGER, Unix seconds | first instant |
| valid_until | timestamptz, null is never | INTEGER | the instant after the last |

The legal basis decides nothing and is not in it. A subject without rows permits nothing.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from consent.domain.effective import EffectiveProvisions
from consent.domain.purposes import purpose_lineage


class RuleRow(NamedTuple):
    """A row of the relation, in the order of its columns."""

    subject: str
    rule_group: int
    rule_rank: int
    effect: str
    purpose: str
    purpose_path: str
    category: str | None
    recipient: str | None
    conditions: Sequence[str]
    valid_from: datetime
    valid_until: datetime | None


def rule_rows(subject: str, effective: EffectiveProvisions) -> Iterator[RuleRow]:
    """Yield the rows of one subject, known by pseudonym."""
    for rule in effective.rules:
        yield RuleRow(
            subject,
            rule.group,
            rule.rank,
            rule.effect.value,
            rule.purpose,
            purpose_path(rule.purpose),
            rule.category,
            rule.recipient,
            sorted(rule.conditions),
            rule.valid_from,
            rule.valid_until,
        )


def purpose_path(purpose: str) -> str:
    """Return the lineage with a slash around each token, so that a token is found in it as `/token/`."""
    return f"/{'/'.join(purpose_lineage(purpose))}/"
