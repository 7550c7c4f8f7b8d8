from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from consent.domain.errors import GrantTransitionError
from consent.domain.grants import TRANSITIONS, Grant, GrantState, LegalBasis, change_state
from consent.domain.provisions import Effect, Provision
from consent.domain.rules import has_expired
from consortium.kernel.errors import InvalidInputError

D, A, W, X, E, Z = (
    GrantState.DRAFT,
    GrantState.ACTIVE,
    GrantState.WITHDRAWN,
    GrantState.EXPIRED,
    GrantState.ENTERED_IN_ERROR,
    GrantState.ERASED,
)
ALLOWED = {(D, A), (D, Z), (A, W), (A, X), (A, E), (A, Z), (W, Z), (X, Z), (E, Z)}
END = datetime(2030, 1, 1, tzinfo=UTC)


def grant(state: GrantState) -> Grant:
    full = Grant(
        id="grant-1",
        state=A,
        legal_basis=LegalBasis.CONSENT,
        source_digest="sha256:" + "ab" * 32,
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
        text_version="urn:text:1",
        provision=Provision(effect=Effect.PERMIT, purposes=frozenset({"DUO:0000006"}), valid_until=END),
    )
    return change_state(full, Z) if state is Z else replace(full, state=state)


@pytest.mark.parametrize("before", GrantState)
@pytest.mark.parametrize("after", GrantState)
def test_grant_changes_only_as_the_table_says(before: GrantState, after: GrantState) -> None:
    old = grant(before)

    if (before, after) in ALLOWED:
        assert change_state(old, after).state is after
    else:
        with pytest.raises(GrantTransitionError) as refusal:
            change_state(old, after)
        assert refusal.value.fields == {"state": before.value, "requested": after.value}
    assert old == grant(before)


def test_table_and_design_name_the_same_steps() -> None:
    assert {(before, after) for before, steps in TRANSITIONS.items() for after in steps} == ALLOWED


def test_erased_grant_keeps_its_id_and_date_alone() -> None:
    erased = change_state(grant(W), Z)

    assert (erased.source_digest, erased.text_version, erased.provision) == (None, None, None)
    assert (erased.id, erased.recorded_at) == ("grant-1", grant(W).recorded_at)
    with pytest.raises(InvalidInputError, match="still has contents"):
        replace(grant(W), state=Z)


def test_grant_that_is_not_erased_has_all_its_contents() -> None:
    for name in ("source_digest", "text_version", "provision"):
        without: dict[str, Any] = {name: None}
        with pytest.raises(InvalidInputError, match="needs its"):
            replace(grant(A), **without)
    with pytest.raises(InvalidInputError, match="digest"):
        replace(grant(A), source_digest="ab" * 32)


def test_grant_has_expired_at_its_end_itself_and_not_a_second_before() -> None:
    assert has_expired(grant(A), END)
    assert not has_expired(grant(A), END.replace(year=2029))
    assert not has_expired(grant(A), datetime(2029, 12, 31, 23, 59, 59, tzinfo=UTC))
