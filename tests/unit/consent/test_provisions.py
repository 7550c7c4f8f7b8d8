from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from consent.domain.provisions import MAX_DEPTH, MAX_PROVISIONS, Effect, Provision, category, require_root
from consent.domain.times import instant_from_text, instant_to_text
from consortium.kernel.errors import InvalidInputError

HMB = frozenset({"DUO:0000006"})
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"purposes": frozenset()}, "limited to nothing"),
        ({"categories": frozenset()}, "limited to nothing"),
        ({"recipients": frozenset()}, "limited to nothing"),
        ({"purposes": frozenset({"research"})}, "Unknown purpose"),
        ({"purposes": frozenset({"DUO:0000007"})}, "needs its disease"),
        ({"categories": frozenset({"Patient"})}, "system|code"),
        ({"categories": frozenset({"http://x|a b"})}, "system|code"),
        ({"recipients": frozenset({"A0000000-0000-4000-8000-000000000001"})}, "UUID"),
        ({"recipients": frozenset({"hospital"})}, "UUID"),
        ({"recipients": frozenset({""})}, "UUID"),
        ({"recipients": frozenset({"a0000000-0000-4000-8000-000000000001\n"})}, "UUID"),
        ({"conditions": frozenset({"DUO:0000006"})}, "Unknown condition"),
        ({"valid_from": datetime(2026, 1, 1)}, "time zone"),  # noqa: DTZ001 - a naive time is the case
        ({"valid_until": NOON.replace(microsecond=1)}, "whole seconds"),
        ({"valid_from": NOON, "valid_until": NOON}, "ends before it begins"),
    ],
)
def test_malformed_permit_is_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInputError, match=message.replace("|", r"\|")):
        Provision(effect=Effect.PERMIT, **{"purposes": HMB, **fields})


def test_denial_cannot_be_limited_by_conditions() -> None:
    with pytest.raises(InvalidInputError, match="only a permit"):
        Provision(effect=Effect.DENY, purposes=HMB, conditions=frozenset({"DUO:0000046"}))


def test_permit_names_a_purpose_itself_or_around_it() -> None:
    bare = Provision(effect=Effect.PERMIT)

    with pytest.raises(InvalidInputError, match="names no purpose"):
        require_root(bare)
    with pytest.raises(InvalidInputError, match="names no purpose"):
        require_root(Provision(effect=Effect.DENY, exceptions=(bare,)))
    assert require_root(Provision(effect=Effect.DENY, purposes=HMB, exceptions=(bare,))).exceptions == (bare,)
    assert require_root(Provision(effect=Effect.DENY)).purposes is None


def test_nesting_and_number_are_bounded() -> None:
    tower = Provision(effect=Effect.DENY)
    for _ in range(MAX_DEPTH - 1):
        tower = Provision(effect=Effect.DENY, exceptions=(tower,))
    crowd = (Provision(effect=Effect.DENY),) * (MAX_PROVISIONS - 1)

    assert require_root(tower) is tower
    assert require_root(Provision(effect=Effect.DENY, exceptions=crowd)).exceptions == crowd
    with pytest.raises(InvalidInputError, match="At most"):
        require_root(Provision(effect=Effect.DENY, exceptions=(tower,)))
    with pytest.raises(InvalidInputError, match="At most"):
        require_root(Provision(effect=Effect.DENY, exceptions=(*crowd, Provision(effect=Effect.DENY))))


def test_category_is_by_default_one_of_fhirs_resource_types() -> None:
    assert category("Procedure") == "http://hl7.org/fhir/resource-types|Procedure"
    assert category("57016-8", system="http://loinc.org") == "http://loinc.org|57016-8"


def test_instants_have_one_spelling() -> None:
    local = datetime(2026, 1, 1, 13, tzinfo=timezone(timedelta(hours=1)))

    assert instant_to_text(local) == "2026-01-01T12:00:00Z"
    assert instant_from_text("2026-01-01T12:00:00Z") == NOON
    for text in ("2026-01-01T12:00:00+00:00", "2026-1-1T12:00:00Z", "2026-01-01", "2026-02-30T12:00:00Z"):
        with pytest.raises(InvalidInputError):
            instant_from_text(text)
