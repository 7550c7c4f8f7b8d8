from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from consent.domain.conflicts import effective_provisions
from consent.domain.effective import EffectiveProvisions
from consent.domain.evaluation import Decision, Question, Reason, is_permitted
from consent.domain.grants import Grant, GrantState, LegalBasis
from consent.domain.provisions import Effect, Provision
from consortium.kernel.errors import InvalidInputError
from tests.unit.consent.sql_cases import CATEGORIES, RECIPIENTS, day

HMB = "DUO:0000006"
SECOND = timedelta(seconds=1)
QUESTION = Question(
    purpose=HMB,
    categories=frozenset(CATEGORIES[:2]),
    recipients=frozenset(RECIPIENTS[:2]),
    at=day(2),
    until=day(4),
)


def permits(**fields: Any) -> Provision:
    return Provision(effect=Effect.PERMIT, **{"purposes": frozenset({HMB}), **fields})


def denies(**fields: Any) -> Provision:
    return Provision(effect=Effect.DENY, **fields)


def effective(*provisions: Provision) -> EffectiveProvisions:
    grants = [
        Grant(
            id=str(number),
            state=GrantState.ACTIVE,
            legal_basis=LegalBasis.CONSENT,
            source_digest="sha256:" + "00" * 32,
            recorded_at=day(0),
            text_version="urn:text:1",
            provision=provision,
        )
        for number, provision in enumerate(provisions)
    ]
    return effective_provisions(grants, day(0))


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "permitted"),
    [
        (day(2), day(4), True),
        (day(2), None, True),
        (None, day(4), True),
        (day(2) + SECOND, day(4), False),
        (day(2), day(4) - SECOND, False),
        (day(4), day(6), False),
        (day(1), day(2), False),
    ],
)
def test_permit_holds_only_over_the_whole_half_open_window(
    valid_from: datetime | None, valid_until: datetime | None, permitted: bool
) -> None:
    decision = is_permitted(effective(permits(valid_from=valid_from, valid_until=valid_until)), QUESTION)

    assert decision == Decision(permitted, Reason.PERMITTED if permitted else Reason.OUTSIDE_VALIDITY)


@pytest.mark.parametrize(
    ("valid_from", "valid_until", "denied"),
    [
        (day(3), day(3) + SECOND, True),
        (day(1), day(2) + SECOND, True),
        (day(4) - SECOND, day(6), True),
        (day(1), day(2), False),
        (day(4), day(6), False),
        (day(2), None, True),
    ],
)
def test_denial_holds_as_soon_as_it_meets_the_window(
    valid_from: datetime | None, valid_until: datetime | None, denied: bool
) -> None:
    decision = is_permitted(effective(permits(), denies(valid_from=valid_from, valid_until=valid_until)), QUESTION)

    assert decision == Decision(not denied, Reason.DENIED if denied else Reason.PERMITTED)


def test_permit_within_a_denial_is_forgotten_together_with_the_denial() -> None:
    silenced = effective(permits(), denies())

    assert silenced.rules == ()
    assert is_permitted(silenced, QUESTION) == Decision(False, Reason.NOT_PERMITTED)


def test_every_category_and_every_recipient_must_be_permitted() -> None:
    first, second, third = (frozenset({token}) for token in CATEGORIES)

    assert not is_permitted(effective(permits(categories=first)), QUESTION).permitted
    assert is_permitted(effective(permits(categories=first), permits(categories=second)), QUESTION).permitted
    assert not is_permitted(effective(permits(), denies(categories=second)), QUESTION).permitted
    assert is_permitted(effective(permits(), denies(categories=third)), QUESTION).permitted

    one, two, three = (frozenset({token}) for token in RECIPIENTS)

    assert not is_permitted(effective(permits(recipients=one)), QUESTION).permitted
    assert is_permitted(effective(permits(recipients=one | two)), QUESTION).permitted
    assert not is_permitted(effective(permits(), denies(recipients=two)), QUESTION).permitted
    assert is_permitted(effective(permits(), denies(recipients=three)), QUESTION).permitted


def test_permits_for_one_category_each_to_one_recipient_do_not_add_up_to_all_pairs() -> None:
    crossed = effective(
        permits(categories=frozenset(CATEGORIES[:1]), recipients=frozenset(RECIPIENTS[:1])),
        permits(categories=frozenset(CATEGORIES[1:2]), recipients=frozenset(RECIPIENTS[1:2])),
    )

    assert is_permitted(crossed, QUESTION) == Decision(False, Reason.NOT_PERMITTED)


def test_condition_that_the_plan_does_not_state_is_named() -> None:
    limited = effective(permits(conditions=frozenset({"DUO:0000018", "DUO:0000022", "DUO:0000044"})))

    assert is_permitted(limited, QUESTION) == Decision(
        False, Reason.CONDITION_NOT_STATED, ("DUO:0000018", "DUO:0000022")
    )
    stating = replace(QUESTION, conditions=frozenset({"DUO:0000045", "DUO:0000046", "DUO:0000022"}))
    assert is_permitted(limited, stating) == Decision(True, Reason.PERMITTED)


def test_nothing_permits_nothing() -> None:
    assert is_permitted(effective(), QUESTION) == Decision(False, Reason.NOT_PERMITTED)


@pytest.mark.parametrize(
    "change",
    [
        {"purpose": "DUO:0000007"},
        {"purpose": "anything"},
        {"categories": frozenset()},
        {"recipients": frozenset()},
        {"categories": frozenset({"*"})},
        {"recipients": frozenset({"everybody"})},
        {"until": day(2)},
        {"at": day(2).replace(tzinfo=None)},
        {"conditions": frozenset({"DUO:0000006"})},
        {"purpose": "DUO:0000011", "conditions": frozenset({"DUO:0000044"})},
        {"categories": frozenset(f"urn:x|{number}" for number in range(5000))},
    ],
)
def test_malformed_question_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        replace(QUESTION, **change)
