"""The agent's own copy of the evaluation: effective provisions in SQLite, and one statement that selects a cohort."""

import json
import sqlite3
from collections.abc import Iterable

from consent.domain.effective import EffectiveProvisions
from consent.domain.evaluation import Question
from consent.domain.purposes import purpose_lineage
from consent.domain.relation import RuleRow, rule_rows

_CREATE = """
CREATE TABLE IF NOT EXISTS effective_rule (
  subject TEXT NOT NULL,
  rule_group INTEGER NOT NULL,
  rule_rank INTEGER NOT NULL,
  effect TEXT NOT NULL CHECK (effect IN ('permit', 'deny')),
  purpose TEXT NOT NULL,
  purpose_path TEXT NOT NULL,
  category TEXT,
  recipient TEXT,
  conditions TEXT NOT NULL,
  valid_from INTEGER NOT NULL,
  valid_until INTEGER
)
"""
_INDEX = "CREATE INDEX IF NOT EXISTS effective_rule_subject ON effective_rule (subject)"
_INSERT = "INSERT INTO effective_rule VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
_DELETE = "DELETE FROM effective_rule WHERE subject = ?"

# A subject is out as soon as one pair is denied by a group, or permitted by none. A group denies a pair if a denial
# speaks and no permit of a higher rank in the group does; it permits one if a permit speaks that no denial of the
# same or a higher rank stands against.
_SELECT = """
WITH lineage AS MATERIALIZED (SELECT value AS purpose FROM json_each(:lineage)),
met AS MATERIALIZED (SELECT value AS code FROM json_each(:met_conditions)),
permit AS MATERIALIZED (
  SELECT subject, rule_group, rule_rank, category, recipient FROM effective_rule
  WHERE effect = 'permit' AND purpose IN (SELECT purpose FROM lineage)
    AND valid_from <= :at AND coalesce(valid_until >= :until, 1)
    AND NOT EXISTS (SELECT 1 FROM json_each(conditions) WHERE value NOT IN (SELECT code FROM met))
), denial AS MATERIALIZED (
  SELECT subject, rule_group, rule_rank, category, recipient FROM effective_rule
  WHERE effect = 'deny' AND (purpose IN (SELECT purpose FROM lineage) OR instr(purpose_path, :step) > 0)
    AND valid_from < :until AND coalesce(valid_until > :at, 1)
), pair AS MATERIALIZED (
  SELECT c.value AS category, r.value AS recipient FROM json_each(:categories) AS c, json_each(:recipients) AS r
)
SELECT DISTINCT candidate.subject FROM permit AS candidate
WHERE NOT EXISTS (
  SELECT 1 FROM pair WHERE NOT EXISTS (
    SELECT 1 FROM permit WHERE permit.subject = candidate.subject
      AND coalesce(permit.category = pair.category, 1) AND coalesce(permit.recipient = pair.recipient, 1)
  ) OR EXISTS (
    SELECT 1 FROM denial WHERE denial.subject = candidate.subject
      AND coalesce(denial.category = pair.category, 1) AND coalesce(denial.recipient = pair.recipient, 1)
      AND NOT EXISTS (
        SELECT 1 FROM permit WHERE permit.subject = denial.subject AND permit.rule_group = denial.rule_group
          AND permit.rule_rank > denial.rule_rank
          AND coalesce(permit.category = pair.category, 1) AND coalesce(permit.recipient = pair.recipient, 1)
      )
  )
)
ORDER BY candidate.subject
"""


class CohortSelector:
    """Effective provisions by pseudonym in the agent's own SQLite, and who of them permits a question.

    The selector writes into the caller's connection and never commits: a change of the store and of
    the epoch that it belongs to is one transaction of the caller's.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        connection.execute(_CREATE)
        connection.execute(_INDEX)

    def put(self, subjects: Iterable[tuple[str, EffectiveProvisions]]) -> None:
        """Store each subject's provisions in place of what was stored for them."""
        for subject, effective in subjects:
            self.remove(subject)
            self._connection.executemany(_INSERT, (_sqlite_row(row) for row in rule_rows(subject, effective)))

    def remove(self, subject: str) -> None:
        """Forget a subject; they are in no cohort from now on."""
        self._connection.execute(_DELETE, (subject,))

    def select(self, question: Question) -> list[str]:
        """Return the pseudonyms of all who permit the question, in the order of their bytes."""
        parameters = {
            "lineage": json.dumps(purpose_lineage(question.purpose)),
            "step": f"/{question.purpose}/",
            "categories": json.dumps(sorted(question.categories)),
            "recipients": json.dumps(sorted(question.recipients)),
            "met_conditions": json.dumps(sorted(question.met_conditions)),
            "at": int(question.at.timestamp()),
            "until": int(question.until.timestamp()),
        }
        return [subject for (subject,) in self._connection.execute(_SELECT, parameters)]


def _sqlite_row(row: RuleRow) -> tuple[object, ...]:
    until = None if row.valid_until is None else int(row.valid_until.timestamp())
    return (*row[:8], json.dumps(list(row.conditions)), int(row.valid_from.timestamp()), until)
