import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.domain.conflicts import DEFAULT_POLICY, Combining, ConflictPolicy, effective_provisions
from consent.domain.effective import EffectiveProvisions, effective_from_json
from consent.domain.evaluation import Question, is_permitted
from consent.domain.grants import Grant, GrantState, LegalBasis
from consent.domain.provisions import Effect, Provision
from consortium.kernel.canonical import canonical_json
from consortium.kernel.errors import InvalidInputError
from tests.unit.consent.reference import denies_override, newest_wins
from tests.unit.consent.sql_cases import (
    CATEGORIES,
    DAY_ZERO,
    RECIPIENTS,
    day,
    random_grants,
    random_question,
)

NEWEST_WINS = ConflictPolicy(Combining.NEWEST_WINS)
GRU, HMB, POA = "DUO:0000042", "DUO:0000006", "DUO:0000011"
HEART, LUNG = "DUO:0000007[MONDO:0000001]", "DUO:0000007[MONDO:0000002]"


def permit(*purposes: str, exceptions: tuple[Provision, ...] = (), **fields: Any) -> Provision:
    return Provision(effect=Effect.PERMIT, purposes=frozenset(purposes), exceptions=exceptions, **fields)


def deny(*purposes: str, exceptions: tuple[Provision, ...] = (), **fields: Any) -> Provision:
    return Provision(effect=Effect.DENY, purposes=frozenset(purposes) or None, exceptions=exceptions, **fields)


def grant(provision: Provision, recorded: int = 0, state: GrantState = GrantState.ACTIVE) -> Grant:
    return Grant(
        id=f"grant-{recorded}",
        state=state,
        legal_basis=LegalBasis.CONSENT,
        source_digest="sha256:" + "00" * 32,
        recorded_at=day(recorded),
        text_version="urn:text:1",
        provision=provision,
    )


def ask(grants: list[Grant], purpose: str, policy: ConflictPolicy = DEFAULT_POLICY, at: int = 5) -> bool:
    question = Question(
        purpose=purpose,
        categories=frozenset(CATEGORIES[:1]),
        recipients=frozenset(RECIPIENTS[:1]),
        at=day(at),
        until=day(at + 1),
    )
    return is_permitted(effective_provisions(grants, day(at), policy), question).permitted


@pytest.mark.parametrize(
    ("provisions", "purpose", "overriding", "newest"),
    [
        ([], HMB, False, False),
        ([permit(HMB)], HMB, True, True),
        ([permit(HMB)], HEART, True, True),
        ([permit(HMB)], GRU, False, False),
        ([permit(HMB)], POA, False, False),
        ([permit(HEART)], LUNG, False, False),
        ([permit(GRU), deny(POA)], HMB, True, True),
        ([permit(GRU), deny(POA)], GRU, False, False),
        ([permit(HMB), deny(HMB)], HMB, False, False),
        # the one recorded last permits again
        ([deny(HMB), permit(HMB)], HMB, False, True),
        ([deny(), permit(HEART)], HEART, False, True),
        ([deny(), permit(HEART)], LUNG, False, False),
        # an exception goes before the provision around it, within one grant
        ([permit(HMB, exceptions=(deny(HEART),))], LUNG, True, True),
        ([permit(HMB, exceptions=(deny(HEART),))], HEART, False, False),
        ([permit(HMB, exceptions=(deny(HEART),))], HMB, False, False),
        ([deny(exceptions=(permit(HEART),))], HEART, True, True),
        ([deny(exceptions=(permit(HEART),))], HMB, False, False),
        # a later general refusal with an exception binds earlier permits to the exception
        ([permit(HMB), deny(exceptions=(permit(HEART),))], HEART, True, True),
        ([permit(HMB), deny(exceptions=(permit(HEART),))], LUNG, False, False),
        # a permit never reaches beyond the provision around it, a denial does
        ([deny(HEART, exceptions=(permit(GRU),))], HEART, True, True),
        ([deny(HEART, exceptions=(permit(GRU),))], LUNG, False, False),
        ([permit(GRU), permit(HEART, exceptions=(deny(POA),))], POA, False, False),
    ],
)
def test_conflicts_are_decided_as_the_policy_says(
    provisions: list[Provision], purpose: str, overriding: bool, newest: bool
) -> None:
    grants = [grant(provision, recorded) for recorded, provision in enumerate(provisions)]

    assert ask(grants, purpose) is overriding
    assert ask(grants, purpose, NEWEST_WINS) is newest


@pytest.mark.parametrize("state", sorted(set(GrantState) - {GrantState.ACTIVE, GrantState.ERASED}))
def test_grant_that_is_not_active_permits_and_denies_nothing(state: GrantState) -> None:
    assert not ask([grant(permit(HMB), state=state)], HMB)
    assert ask([grant(permit(HMB)), grant(deny(), 1, state=state)], HMB)


def test_withdrawn_grant_leaves_no_rule_behind() -> None:
    effective = effective_provisions([grant(permit(HMB), state=GrantState.WITHDRAWN)], day(5))

    assert effective == EffectiveProvisions(DEFAULT_POLICY.digest(), ())


def test_grant_counts_from_the_second_it_was_recorded_and_is_not_dated_back() -> None:
    late = grant(permit(HMB, valid_from=day(1)), recorded=5)

    assert effective_provisions([late], day(4)).rules == ()
    (rule,) = effective_provisions([late], day(5)).rules
    assert rule.valid_from == day(5)


def test_what_has_ended_is_left_out_at_its_end_itself() -> None:
    ending = grant(permit(HMB, valid_until=day(5)))

    assert len(effective_provisions([ending], day(4)).rules) == 1
    assert effective_provisions([ending], day(5)).rules == ()


def test_included_and_effectless_rules_are_left_out() -> None:
    grants = [
        grant(permit(HMB)),
        grant(permit(HEART, valid_until=day(9)), 0),
        grant(deny("HL7:HMARKT"), 1),
        grant(permit(POA), 1),
        grant(deny(POA), 0),
    ]

    (rule,) = effective_provisions(grants, day(5)).rules

    assert (rule.purpose, rule.effect, rule.group, rule.rank) == (HMB, Effect.PERMIT, 0, 0)


@pytest.mark.parametrize(
    ("start", "end", "kept"), [(7, 9, False), (5, 7, False), (1, 6, True), (6, 7, False), (5, 6, False)]
)
def test_denial_is_kept_only_where_it_can_meet_a_permit(start: int, end: int, kept: bool) -> None:
    permitted = permit(HMB, valid_from=day(4), valid_until=day(5))
    denied = deny(HEART, valid_from=day(start), valid_until=day(end))

    rules = effective_provisions([grant(permitted), grant(denied)], day(0)).rules

    assert len(rules) == 1 + kept


def test_permits_on_different_legal_bases_are_both_kept() -> None:
    opted_out = replace(grant(permit(HMB)), legal_basis=LegalBasis.NO_OBJECTION)

    rules = effective_provisions([grant(permit(HMB)), opted_out], day(5)).rules

    assert {rule.legal_basis for rule in rules} == set(LegalBasis)


def test_json_says_what_is_permitted_on_what_basis_from_when_until_when_and_under_which_policy() -> None:
    provision = permit(HMB, valid_from=day(1), valid_until=day(9))

    assert effective_provisions([grant(provision)], day(5)).to_json() == {
        "format": "consilium-provisions/1",
        "policy": DEFAULT_POLICY.digest(),
        "rules": [
            {
                "group": 0,
                "rank": 0,
                "effect": "permit",
                "purpose": HMB,
                "category": None,
                "recipient": None,
                "conditions": [],
                "legal_basis": "consent",
                "valid_from": "2026-01-02T00:00:00Z",
                "valid_until": "2026-01-10T00:00:00Z",
            }
        ],
    }


def test_policies_have_digests_of_their_own() -> None:
    assert DEFAULT_POLICY.combining is Combining.DENY_OVERRIDES
    assert DEFAULT_POLICY.digest() != NEWEST_WINS.digest()


def test_more_rules_than_can_be_read_are_refused() -> None:
    wide = Provision(
        effect=Effect.PERMIT,
        purposes=frozenset({HMB}),
        categories=frozenset(f"urn:x|{number}" for number in range(257)),
    )

    with pytest.raises(InvalidInputError, match="more than 256 rules"):
        effective_provisions([grant(wide)], day(5))


@pytest.mark.parametrize(
    "damage",
    [
        lambda value: value.pop("policy"),
        lambda value: value.update(policy="sha256:00"),
        lambda value: value.update(more=1),
        lambda value: value["rules"].reverse(),
        lambda value: value["rules"].append(value["rules"][0]),
        lambda value: value["rules"][0].update(effect="maybe"),
        lambda value: value["rules"][0].update(legal_basis=None),
        lambda value: value["rules"][0].update(group=True),
        lambda value: value["rules"][0].update(rank=-1),
        lambda value: value["rules"][0].update(purpose="DUO:0000001"),
        lambda value: value["rules"][0].update(category="Patient"),
        lambda value: value["rules"][0].update(recipient=7),
        lambda value: value["rules"][0].update(conditions=["DUO:0000006"]),
        lambda value: value["rules"][0].update(valid_from="2026-01-01"),
        lambda value: value["rules"][0].pop("valid_until"),
        lambda value: value.update(rules={"0": {}}),
        lambda value: value.update(rules=[[]]),
    ],
)
def test_opened_provisions_in_any_other_form_are_refused(damage: Callable[[dict[str, Any]], object]) -> None:
    value = effective_provisions([grant(permit(HMB)), grant(permit(POA), 1)], day(5)).to_json()
    assert effective_from_json(value).to_json() == value

    damage(value)

    with pytest.raises(InvalidInputError):
        effective_from_json(value)


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**64), st.integers(0, 6))
def test_effective_provisions_mean_what_the_grants_mean(seed: int, at: int) -> None:
    rng = random.Random(seed)
    grants = random_grants(rng)
    overriding = effective_provisions(grants, day(at))
    newest = effective_provisions(grants, day(at), NEWEST_WINS)

    for question in (random_question(rng, earliest_day=at) for _ in range(12)):
        assert is_permitted(overriding, question).permitted is denies_override(grants, day(at), question)
        assert is_permitted(newest, question).permitted is newest_wins(grants, day(at), question)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**64), st.sampled_from(Combining))
def test_effective_provisions_are_one_text_whatever_the_order_of_grants(seed: int, combining: Combining) -> None:
    rng = random.Random(seed)
    grants, policy = random_grants(rng), ConflictPolicy(combining)
    effective = effective_provisions(grants, DAY_ZERO, policy)

    rng.shuffle(grants)
    again = effective_provisions([*grants, *grants[:1]], DAY_ZERO, policy)

    assert canonical_json(again.to_json()) == canonical_json(effective.to_json())
    assert effective_from_json(effective.to_json()) == effective
