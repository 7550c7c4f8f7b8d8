"""Terms are those that the ledger takes, and their subject is the contract's."""

from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.kernel.digests import digest_to_bytes32, keccak256
from training.domain.admission import is_openable, largest_openable, tolerated_losses
from training.domain.run_terms import RunTerms, rule_digest
from training.errors import BoundBrokenError, PlanInvalidError

TERMS = RunTerms(4, 4, 1, 3, 10, 1, 50, rule_digest())
PLAN = "sha256:" + "5a" * 32
TYPES = ["bytes32", "(uint16,uint16,uint16,uint16,uint32,uint16,uint32,bytes32)"]


@settings(max_examples=50)
@given(st.integers(1, 100_000), st.integers(1, 65_535), st.binary(min_size=32, max_size=32))
def test_the_subject_is_the_hash_of_the_abi_encoding(rounds: int, max_runs: int, rule: bytes) -> None:
    terms = replace(TERMS, rounds=rounds, max_runs=max_runs, initial_weights_rule=rule)

    encoded = encode(TYPES, [digest_to_bytes32(PLAN), tuple(terms.fields().values())])

    assert terms.subject(PLAN) == keccak256(encoded)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"threshold": 2}, BoundBrokenError),
        ({"colluders": 3}, BoundBrokenError),
        ({"minimum_sites": 8}, BoundBrokenError),
        ({"verifier_quorum": 1}, PlanInvalidError),
        ({"verifier_quorum": 5}, PlanInvalidError),
        ({"minimum_band": 0}, PlanInvalidError),
        ({"minimum_band": 51}, PlanInvalidError),
        ({"max_runs": 0}, PlanInvalidError),
        ({"max_runs": 65_536}, PlanInvalidError),
        ({"rounds": 100_001}, PlanInvalidError),
        ({"initial_weights_rule": b""}, PlanInvalidError),
    ],
)
def test_terms_that_the_ledger_refuses_are_refused_here(changes: dict[str, Any], error: type) -> None:
    with pytest.raises(error):
        replace(TERMS, **changes)


@pytest.mark.parametrize(("sites", "openable"), [(3, False), (4, True), (5, True), (6, True), (7, False), (8, False)])
def test_a_roster_opens_within_the_bound_only(sites: int, openable: bool) -> None:
    assert is_openable(TERMS, sites) is openable


def test_more_sites_than_the_bound_allows_stay_out_of_the_round() -> None:
    assert [largest_openable(TERMS, sites) for sites in (3, 5, 6, 9)] == [0, 5, 6, 6]
    assert [tolerated_losses(TERMS, roster) for roster in (3, 4, 6)] == [0, 0, 2]
