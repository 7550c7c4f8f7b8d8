"""The evaluation of a whole site as one PostgreSQL statement over the flat relation of `relation`."""

import re
from dataclasses import dataclass, fields
from typing import Any

from consent.domain.evaluation import Question
from consent.domain.purposes import purpose_lineage
from consortium.kernel.errors import InvalidInputError

_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]{0,62}\Z")


@dataclass(frozen=True, slots=True, kw_only=True)
class RelationNames:
    """The names under which the relation lies in a database.

    `scope` are further columns that a row must equal, each given as a parameter of the column's name:
    `scope=("organization_id",)` adds `AND "organization_id" = %(organization_id)s`.
    """

    table: str = "consent_rule"
    subject: str = "subject"
    rule_group: str = "rule_group"
    rule_rank: str = "rule_rank"
    effect: str = "effect"
    purpose: str = "purpose"
    purpose_path: str = "purpose_path"
    category: str = "category"
    recipient: str = "recipient"
    conditions: str = "conditions"
    valid_from: str = "valid_from"
    valid_until: str = "valid_until"
    scope: tuple[str, ...] = ()

    def quoted(self) -> dict[str, str]:
        """Return each name in double quotes; `InvalidInputError` if one is not a plain lower-case identifier."""
        names = {field.name: getattr(self, field.name) for field in fields(self) if field.name != "scope"}
        for name in (*names.values(), *self.scope):
            if not _IDENTIFIER.match(name):
                raise InvalidInputError("A table or column name has lower-case letters, digits and underscores only.")
        return {key: f'"{name}"' for key, name in names.items()}


# Only names go in by format(), quoted and checked; every value is a parameter. A category or recipient that no
# rule names is answered like any other such one, so a single representative stands for all of them: the number
# of pairs depends on what subjects distinguish, not on how many members the consortium has.
_STATEMENT = """\
WITH rule AS MATERIALIZED (
  SELECT {subject} AS subject, {rule_group} AS rule_group, {rule_rank} AS rule_rank, {effect} = 'permit' AS permits,
         {category} AS category, {recipient} AS recipient
  FROM {table}
  WHERE ({effect} = 'permit' AND {purpose} = ANY(%(lineage)s::text[]) AND {conditions} <@ %(met_conditions)s::text[]
         AND {valid_from} <= %(at)s AND ({valid_until} IS NULL OR {valid_until} >= %(until)s)
      OR {effect} = 'deny' AND ({purpose} = ANY(%(lineage)s::text[]) OR strpos({purpose_path}, %(step)s) > 0)
         AND {valid_from} < %(until)s AND ({valid_until} IS NULL OR {valid_until} > %(at)s)){scope}
), named_category AS (SELECT DISTINCT category FROM rule WHERE category IS NOT NULL
), named_recipient AS (SELECT DISTINCT recipient FROM rule WHERE recipient IS NOT NULL
), asked_category AS (
  SELECT asked FROM unnest(%(categories)s::text[]) AS asked WHERE asked IN (SELECT category FROM named_category)
  UNION ALL
  SELECT min(asked) FROM unnest(%(categories)s::text[]) AS asked
  WHERE asked NOT IN (SELECT category FROM named_category) HAVING min(asked) IS NOT NULL
), asked_recipient AS (
  SELECT asked FROM unnest(%(recipients)s::text[]) AS asked WHERE asked IN (SELECT recipient FROM named_recipient)
  UNION ALL
  SELECT min(asked) FROM unnest(%(recipients)s::text[]) AS asked
  WHERE asked NOT IN (SELECT recipient FROM named_recipient) HAVING min(asked) IS NOT NULL
), pair AS MATERIALIZED (
  SELECT row_number() OVER () AS pair, c.asked AS category, r.asked AS recipient
  FROM asked_category AS c CROSS JOIN asked_recipient AS r
), answer AS (
  SELECT DISTINCT ON (rule.subject, pair.pair, rule.rule_group) rule.subject, pair.pair, rule.permits
  FROM rule JOIN pair ON (rule.category IS NULL OR rule.category = pair.category)
                     AND (rule.recipient IS NULL OR rule.recipient = pair.recipient)
  ORDER BY rule.subject, pair.pair, rule.rule_group, rule.rule_rank DESC, rule.permits
)
SELECT subject FROM answer GROUP BY subject
HAVING bool_and(permits) AND count(DISTINCT pair) = (SELECT count(*) FROM pair)
ORDER BY subject COLLATE "C"
"""


def evaluation_sql(names: RelationNames | None = None) -> str:
    """Return the statement that selects every permitted subject, one column, in the order of its bytes.

    Its parameters are `evaluation_parameters(question)` and one for each scope column, in psycopg's
    named style.
    """
    names = names or RelationNames()
    scope = "".join(f' AND "{column}" = %({column})s' for column in names.scope)
    return _STATEMENT.format(scope=scope, **names.quoted())


def evaluation_parameters(question: Question) -> dict[str, Any]:
    """Return the statement's parameters for a question, without those of the scope."""
    return {
        "lineage": list(purpose_lineage(question.purpose)),
        "step": f"/{question.purpose}/",
        "categories": sorted(question.categories),
        "recipients": sorted(question.recipients),
        "met_conditions": sorted(question.met_conditions),
        "at": question.at,
        "until": question.until,
    }
