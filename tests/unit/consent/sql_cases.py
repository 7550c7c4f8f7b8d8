"""Random grants and questions over a small world, and the comparison of the three evaluations on PostgreSQL.

The world is small so that questions meet rules: eleven days, three categories, three recipients.
"""

import random
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from consent.domain.conflicts import Combining, ConflictPolicy, effective_provisions
from consent.domain.effective import EffectiveProvisions
from consent.domain.evaluation import Question, is_permitted
from consent.domain.evaluation_sql import RelationNames, evaluation_parameters, evaluation_sql
from consent.domain.grants import Grant, GrantState, LegalBasis
from consent.domain.provisions import Effect, Provision, category
from consent.domain.relation import RuleRow, rule_rows
from consortium.kernel.digests import sha256_digest

DAY_ZERO = datetime(2026, 1, 1, tzinfo=UTC)
DAYS = 10
CATEGORIES = tuple(category(name) for name in ("Patient", "Procedure", "Encounter"))
RECIPIENTS = tuple(f"00000000-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
PURPOSES = (
    "DUO:0000004",
    "DUO:0000042",
    "DUO:0000006",
    "DUO:0000007[MONDO:0000001]",
    "DUO:0000007[MONDO:0000002]",
    "DUO:0000011",
    "HL7:CLINTRCH",
    "HL7:HMARKT",
)
CONDITIONS = ("DUO:0000046", "DUO:0000045", "DUO:0000018", "DUO:0000022")
TABLE = """
CREATE TEMPORARY TABLE consent_rule (
  site text NOT NULL, subject text NOT NULL, rule_group integer NOT NULL, rule_rank integer NOT NULL,
  effect text NOT NULL, purpose text NOT NULL, purpose_path text NOT NULL, category text, recipient text,
  conditions text[] NOT NULL, valid_from timestamptz NOT NULL, valid_until timestamptz
)
"""


def day(number: int) -> datetime:
    return DAY_ZERO + timedelta(days=number)


def random_provision(rng: random.Random, depth: int = 0, *, purposes_above: bool = False) -> Provision:
    effect = rng.choice((Effect.PERMIT, Effect.PERMIT, Effect.DENY))
    start, end = sorted(rng.sample(range(DAYS + 1), 2))
    must_name = effect is Effect.PERMIT and not purposes_above
    pool = (*PURPOSES, "DUO:0000007") if effect is Effect.DENY else PURPOSES
    purposes = _some(rng, pool) if must_name or rng.random() < 0.6 else None
    inner_count = rng.choice((0, 0, 1, 2)) if depth < 3 else 0
    return Provision(
        effect=effect,
        purposes=purposes,
        categories=_some(rng, CATEGORIES) if rng.random() < 0.3 else None,
        recipients=_some(rng, RECIPIENTS) if rng.random() < 0.3 else None,
        conditions=_some(rng, CONDITIONS) if effect is Effect.PERMIT and rng.random() < 0.2 else frozenset(),
        valid_from=day(start) if rng.random() < 0.4 else None,
        valid_until=day(end) if rng.random() < 0.4 else None,
        exceptions=tuple(
            random_provision(rng, depth + 1, purposes_above=purposes_above or purposes is not None)
            for _ in range(inner_count)
        ),
    )


def random_grant(rng: random.Random, number: int) -> Grant:
    states = (GrantState.ACTIVE,) * 8 + (GrantState.WITHDRAWN, GrantState.DRAFT)
    return Grant(
        id=f"grant-{number}",
        state=rng.choice(states),
        legal_basis=rng.choice(tuple(LegalBasis)),
        source_digest=sha256_digest(str(number).encode()),
        recorded_at=day(rng.choice((-1, -1, 0, 2))),
        text_version="urn:consilium:text:1",
        provision=random_provision(rng),
    )


def random_grants(rng: random.Random) -> list[Grant]:
    return [random_grant(rng, number) for number in range(rng.choice((0, 1, 1, 2, 3)))]


def random_question(rng: random.Random, *, earliest_day: int = 0) -> Question:
    start, end = sorted(rng.sample(range(earliest_day, DAYS + 1), 2))
    return Question(
        purpose=rng.choice(PURPOSES[1:]),
        categories=_some(rng, CATEGORIES),
        recipients=_some(rng, RECIPIENTS),
        at=day(start),
        until=day(min(end, start + rng.choice((1, 1, 3)))),
        conditions=_some(rng, CONDITIONS) if rng.random() < 0.5 else frozenset(),
    )


def random_site(rng: random.Random, size: int, *, at: datetime = DAY_ZERO) -> dict[str, EffectiveProvisions]:
    policy = ConflictPolicy(rng.choice(tuple(Combining)))
    return {f"subject-{number}": effective_provisions(random_grants(rng), at, policy) for number in range(size)}


def permitted_by_definition(site: dict[str, EffectiveProvisions], question: Question) -> list[str]:
    return sorted(subject for subject, effective in site.items() if is_permitted(effective, question).permitted)


def compare_with_postgres(connection: Any, *, seed: int = 20260101, sites: int = 20, questions: int = 20) -> int:
    """Compare the SQL statement with the definition on random sites; return how many subjects were permitted.

    `connection` is psycopg's or Django's, allowed to make a temporary table. The sites' rows lie in one table, which
    shows that the scope keeps the others out.
    """
    rng = random.Random(seed)
    statement = evaluation_sql(RelationNames(scope=("site",)))
    permitted = 0
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
        for number in range(sites):
            site = random_site(rng, 30)
            _insert(cursor, f"site-{number}", _rows(site))
            for question in (random_question(rng) for _ in range(questions)):
                cursor.execute(statement, {**evaluation_parameters(question), "site": f"site-{number}"})
                found = [subject for (subject,) in cursor.fetchall()]
                assert found == permitted_by_definition(site, question), (number, question)
                permitted += len(found)
        cursor.execute("DROP TABLE consent_rule")
    assert permitted > sites, "the cases permit too little to show anything"
    return permitted


def _rows(site: dict[str, EffectiveProvisions]) -> Iterable[RuleRow]:
    return (row for subject, effective in site.items() for row in rule_rows(subject, effective))


def _insert(cursor: Any, site: str, rows: Iterable[RuleRow]) -> None:
    marks = ", ".join(["%s"] * (len(RuleRow._fields) + 1))
    cursor.executemany(f"INSERT INTO consent_rule VALUES ({marks})", [(site, *row) for row in rows])  # noqa: S608 - marks


def _some(rng: random.Random, pool: tuple[str, ...]) -> frozenset[str]:
    return frozenset(rng.sample(pool, rng.choice((1, 1, 2, 3))))
