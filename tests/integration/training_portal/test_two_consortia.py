"""An organization in two consortia: lists speak of the chosen one, an address of either opens and says which."""

from dataclasses import replace
from types import SimpleNamespace

import pytest
from django.urls import reverse

from audit.models import Bundle
from consortium.governance.models import Proposal
from consortium.membership.models import Consortium, User
from tests.factories.membership import make_member
from tests.factories.training import digest, make_model, make_plan, make_round, make_run
from tests.integration.training_portal.forms import make_data_set, words_of


@pytest.fixture
def pair(world, as_system, as_superuser):
    """In each of two consortia a plan, run, model, proposal, data set and report; the first is "Shared"."""
    with as_system():
        second = Consortium.objects.create(name="Zeta", slug="zeta", chain_id=1)
        for organization in (world.hospital, world.bank):
            make_member(second, organization)
        made = [
            _things(world, "First study", 1),
            _things(replace(world, consortium=second), "Second study", 2),
        ]
    with as_superuser():
        for place, number in zip(made, (1, 2), strict=True):
            columns = [{"name": "sex", "kind": "binary"}]
            place.data_set = make_data_set(place.world, world.hospital, columns, name=f"stays-{number}")
            place.report = Bundle.objects.create(
                consortium_id=place.world.consortium.pk,
                organization_id=world.hospital.pk,
                person_id=User.objects.get(email="admin@hospital.example").pk,
                correlation_id="c",
                report="gdpr_art_30" if number == 1 else "gdpr_art_7",
            )
    return made


def _things(world, title, number):
    plan = make_plan(world, title=title)
    run = make_run(world, plan)
    for one in (1, 2, 3):
        make_round(world, run, one, 1)
    proposal = Proposal.objects.create(
        consortium=world.consortium,
        organization=world.hospital,
        contract="DecisionBoard",
        kind="approve_plan",
        description=title,
        chain_key=digest(number).replace("sha256:", "0x"),
        state="executed",
        base=2,
        rule={"quorum_bps": 5000, "threshold_bps": 5000, "minimum_votes": 1, "exclude_author": False},
        owners=[str(world.hospital.pk)],
    )
    return SimpleNamespace(world=world, plan=plan, run=run, model=make_model(run), proposal=proposal)


@pytest.mark.parametrize("page", ["plans", "runs", "models", "proposals"])
def test_lists_speak_of_the_chosen_consortium(hospital, pair, page):
    assert "First study" in words_of(hospital.get(reverse(page)))
    assert "Second study" not in words_of(hospital.get(reverse(page)))

    hospital.post(reverse("choose_consortium"), {"consortium": str(pair[1].world.consortium.pk)})

    assert "Second study" in words_of(hospital.get(reverse(page)))
    assert "First study" not in words_of(hospital.get(reverse(page)))


def test_data_sets_and_reports_are_those_of_the_chosen_consortium(hospital, pair):
    def shown() -> tuple[list[bool], list[bool]]:
        sets, reports = (hospital.get(reverse(page)).content.decode() for page in ("data_sets", "reports"))
        return (
            [f"/data-sets/{one.data_set.pk}/" in sets for one in pair],
            [f"/reports/{one.report.pk}/" in reports for one in pair],
        )

    assert shown() == ([True, False], [True, False])
    hospital.post(reverse("choose_consortium"), {"consortium": str(pair[1].world.consortium.pk)})
    assert shown() == ([False, True], [False, True])


@pytest.mark.parametrize("kind", ["plan", "run", "model", "proposal", "data_set"])
def test_a_thing_of_the_other_consortium_opens_and_says_whose_it_is(hospital, pair, kind):
    first, second = (reverse(kind, args=[getattr(one, kind).pk]) for one in pair)

    assert "This belongs to" not in words_of(hospital.get(first))
    other = hospital.get(second)
    assert "This belongs to Zeta Lists and numbers elsewhere speak of Shared" in words_of(other)

    entered = {"consortium": str(pair[1].world.consortium.pk), "next": second}
    assert f'name="next" value="{second}"' in other.content.decode()
    assert hospital.post(reverse("choose_consortium"), entered).headers["Location"] == second
    assert "This belongs to" not in words_of(hospital.get(second))
    assert "This belongs to Shared" in words_of(hospital.get(first))


def test_choosing_leads_to_no_foreign_address(hospital, pair):
    entered = {"consortium": str(pair[1].world.consortium.pk), "next": "https://elsewhere.example/"}

    assert hospital.post(reverse("choose_consortium"), entered).headers["Location"] == reverse("overview")


def test_a_copy_is_of_its_plans_consortium_whichever_is_chosen(hospital, pair):
    answer = hospital.get(f"{reverse('plan_new')}?from={pair[1].plan.pk}")

    assert "This belongs to Zeta" in words_of(answer)
    assert "stays-2" in words_of(answer)
    assert "stays-1" not in words_of(answer)
