"""A founding document: read strictly, and turned into what the contracts are founded with."""

from typing import Any

import pytest

from consortium.demo.policy import POLICY
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.errors import ConsiliumError
from consortium.membership.models import Consortium, Organization
from consortium.membership.services.founding import parse_founding, register_founding

RUNNER = "sha256:" + "5a" * 32


def document(**changes: Any) -> dict[str, Any]:
    keys = {"vote_key": "0x" + "1" * 40, "site_key": "0x" + "2" * 40, "validator": "0x" + "3" * 40}
    others = {"vote_key": "0x" + "4" * 40, "site_key": "0x" + "5" * 40, "validator": "0x" + "6" * 40}
    made = {
        "name": "Two Hospitals",
        "slug": "two-hospitals",
        "founders": {"north": keys, "south": others},
        "policy": POLICY,
        "runners": [RUNNER],
        "guardian": {"members": ["north", "south"], "threshold": 2},
    }
    return made | changes


def test_runners_and_guardian_go_to_the_contracts(as_system: Any) -> None:
    with as_system():
        made = {slug: Organization.objects.create(slug=slug, name=slug.title()) for slug in ("north", "south")}

        founding = register_founding(parse_founding(document()), chain_id=31337)

        assert founding.runners == [digest_to_bytes32(RUNNER)]
        assert founding.guardians == [made["north"].pk, made["south"].pk]
        assert founding.guardian_threshold == 2


def test_a_consortium_may_have_no_guardian() -> None:
    assert parse_founding(document(guardian={"members": [], "threshold": 2})).guardians == ()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"runners": []}, "at least one digest"),
        ({"runners": ["5a" * 32]}, "A digest is written sha256:"),
        ({"guardian": {"members": ["north"]}}, "exactly these keys"),
        ({"guardian": {"members": ["west"], "threshold": 2}}, "are founders"),
        ({"guardian": {"members": ["north", "north"], "threshold": 2}}, "each named once"),
        ({"guardian": {"members": ["north", "south"], "threshold": 1}}, "at least 2"),
        ({"guardian": {"members": ["north", "south"], "threshold": 3}}, "at most the number of its members"),
    ],
)
def test_a_document_that_names_no_runner_or_an_impossible_guardian_is_refused(
    as_system: Any, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(ConsiliumError, match=says):
        parse_founding(document(**changes))

    with as_system():
        assert not Consortium.objects.filter(slug="two-hospitals").exists()
