"""The frame around every page: sections, the chosen consortium, for whom one acts."""

import pytest
from django.urls import reverse

from consortium.common.sections import GROUPS
from consortium.membership.models import Consortium
from consortium.membership.portal.chosen import SESSION_KEY
from tests.factories.membership import World, make_member, make_world


@pytest.fixture
def world(as_system) -> World:
    with as_system():
        return make_world()


@pytest.fixture
def second(world, as_system) -> Consortium:
    """A second consortium of the hospital, in which the bank is not."""
    with as_system():
        made = Consortium.objects.create(name="Wards", slug="wards", chain_id=1)
        make_member(made, world.hospital)
    return made


@pytest.fixture
def page(client, world):
    client.post(reverse("account_login"), {"login": "admin@hospital.example", "password": "a long pass phrase"})
    return client


def test_every_section_of_the_rail_answers(page, world):
    for group in GROUPS:
        for section in group.sections:
            assert page.get(reverse(section.name)).status_code == 200, section.name


def test_the_rail_marks_the_section_of_the_page_alone(page, world):
    shown = page.get(reverse("runs")).text

    rail = shown[shown.index('class="rail"') : shown.index('class="topbar"')]
    assert rail.count('aria-current="page"') == 1


def test_a_member_of_two_consortia_chooses_of_which_the_pages_speak(page, world, second):
    assert "Bank" in page.get("/members/").text

    page.post(reverse("choose_consortium"), {"consortium": str(second.pk)})

    shown = page.get("/members/").text
    assert "Wards" in shown
    assert "Bank" not in shown


@pytest.mark.parametrize("wanted", ["other", "nonsense"])
def test_a_consortium_that_one_does_not_belong_to_cannot_be_chosen(page, world, second, wanted):
    page.post(reverse("choose_consortium"), {"consortium": str(second.pk)})

    foreign = str(world.other_consortium.pk) if wanted == "other" else wanted
    page.post(reverse("choose_consortium"), {"consortium": foreign})

    assert page.session[SESSION_KEY] == str(second.pk)


def test_a_choice_of_a_consortium_that_is_not_visible_any_more_falls_back_to_the_first(page, world):
    session = page.session
    session[SESSION_KEY] = str(world.other_consortium.pk)
    session.save()

    assert page.get("/").context["consortium"] == world.consortium


def test_a_phone_reaches_every_section(page, world):
    shown = page.get(reverse("more")).text

    assert all(reverse(section.name) in shown for group in GROUPS for section in group.sections)
