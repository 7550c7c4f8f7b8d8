import random
import sqlite3
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.domain.cohorts import CohortSelector
from consent.domain.conflicts import DEFAULT_POLICY
from consent.domain.effective import EffectiveProvisions
from consent.domain.evaluation_sql import RelationNames, evaluation_parameters, evaluation_sql
from consortium.kernel.errors import InvalidInputError
from tests.unit.consent.sql_cases import permitted_by_definition, random_question, random_site

NOBODY = EffectiveProvisions(DEFAULT_POLICY.digest(), ())


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**64))
def test_agents_statement_selects_whom_the_definition_permits(seed: int) -> None:
    rng = random.Random(seed)
    site = random_site(rng, 25)
    connection = sqlite3.connect(":memory:")
    try:
        selector = CohortSelector(connection)
        selector.put(site.items())

        for question in (random_question(rng) for _ in range(6)):
            assert selector.select(question) == permitted_by_definition(site, question)
    finally:
        connection.close()


def test_later_provisions_replace_earlier_ones_and_a_removed_subject_is_in_no_cohort(
    connection: sqlite3.Connection,
) -> None:
    rng = random.Random(7)
    site = random_site(rng, 60)
    question = next(
        question
        for question in iter(lambda: random_question(rng), None)
        if len(permitted_by_definition(site, question)) > 3
    )
    first, second, *rest = permitted_by_definition(site, question)
    selector = CohortSelector(connection)
    selector.put(site.items())

    selector.put([(first, NOBODY)])
    selector.remove(second)

    assert selector.select(question) == rest


def test_selector_leaves_the_commit_to_its_caller(connection: sqlite3.Connection) -> None:
    rng = random.Random(7)
    selector = CohortSelector(connection)
    selector.put(random_site(rng, 20).items())

    connection.rollback()

    assert connection.execute("SELECT count(*) FROM effective_rule").fetchone() == (0,)


def test_statement_names_every_parameter_and_no_other() -> None:
    question = random_question(random.Random(1))
    statement = evaluation_sql(RelationNames(table="rules", subject="pseudonym", scope=("organization_id",)))

    names = {*evaluation_parameters(question), "organization_id"}
    assert all(f"%({name})s" in statement for name in names)
    assert statement.count("%(") == sum(statement.count(f"%({name})s") for name in names)
    assert 'FROM "rules"' in statement
    assert 'AND "organization_id" = %(organization_id)s' in statement


@pytest.mark.parametrize("name", ["", "Rules", 'x"; DROP TABLE x', "a b", "1a", "a" * 64, "a%s", "a\n"])
def test_name_that_is_no_plain_identifier_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="name"):
        evaluation_sql(RelationNames(table=name))
    with pytest.raises(InvalidInputError, match="name"):
        evaluation_sql(RelationNames(scope=(name,)))
