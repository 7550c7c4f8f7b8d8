"""Two consortia in one deployment, with the hospital in both: who shares the one with it sees nothing of the other."""

from collections.abc import Callable
from typing import Any

import pytest

from consortium.common.tenancy import act_for
from consortium.membership.models import Organization
from tests.factories.everything import Everything
from tests.factories.membership import make_member
from tests.integration.tenancy.conftest import Principals
from tests.integration.tenancy.endpoints import Names, addresses
from tests.integration.tenancy.models import markers_of, our_models, state_of
from tests.integration.tenancy.test_walk import NOTHING, adds_a_copy_of, ask, body_of, changes, sees

Ask = Callable[[str], Principals]
# What partners may know of an organization wherever it is a member.
OF_THE_ORGANIZATION = {Organization}


@pytest.fixture
def side_by_side(everything: Everything, become: Any) -> Everything:
    """The hospital, with a row of everything in its first consortium, is a member of the outsider's too."""
    with become("NONE"):
        make_member(everything.world.other_consortium, everything.world.hospital)
    return everything


def test_a_partner_of_one_consortium_neither_sees_nor_changes_rows_of_the_other(side_by_side, become):
    with become("NONE"):
        before = state_of(our_models())
    with act_for(organization_id=side_by_side.world.outsider.pk):
        assert {type(row) for row in side_by_side.rows.values() if sees(row)} <= OF_THE_ORGANIZATION
        assert [row._meta.label for row in side_by_side.rows.values() if changes(row)] == []
        assert [row._meta.label for row in side_by_side.rows.values() if adds_a_copy_of(row)] == []
    with become("NONE"):
        assert state_of(our_models()) == before


def test_answers_and_pages_for_a_partner_of_one_consortium_show_nothing_of_the_other(side_by_side, principals):
    rows = [row for row in side_by_side.rows.values() if type(row) not in OF_THE_ORGANIZATION]
    hidden, asking = markers_of(rows), principals("outsider")
    for address in addresses():
        answer = ask(asking, address, "get", NOTHING, Names(side_by_side))
        shown = {text for text in hidden if text in body_of(answer)}
        if address.places and answer.status_code == 404:
            shown -= set(address.path(Names(side_by_side)).split("/"))
        assert not shown, f"GET {address.route}: {[r._meta.label for r in rows if str(r.pk) in shown]}"


def test_the_partner_does_see_the_hospital_in_the_consortium_that_they_share(side_by_side, principals):
    (consortium,) = principals("outsider").person.get("/api/v1/consortia").json()["results"]

    assert consortium["id"] == str(side_by_side.world.other_consortium.pk)
    assert str(side_by_side.world.hospital.pk) in {member["organization"] for member in consortium["members"]}
