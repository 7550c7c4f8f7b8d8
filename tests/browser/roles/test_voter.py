"""The voter: is told at the portal that a vote waits, and signs it at the hospital's own member page."""

import re
import secrets

import pytest
from playwright.sync_api import expect

from consortium.demo.world import World
from tests.browser.driving import Person
from tests.browser.roles.conftest import Arrive, Colleague
from tests.browser.roles.deciding import propose_plan
from tests.browser.roles.people import VOTER

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(900)]


def test_a_voter_reads_the_ballot_at_the_house_signs_it_and_sees_the_seat_at_the_portal(
    world: World, arrive: Arrive, colleague: Colleague, told_member_page: str
):
    title = f"Length of stay, put to the vote {secrets.token_hex(4)}"
    propose_plan(world, world.sites[1], title)
    voter, account = arrive(), colleague(VOTER)
    voter.log_in(account.email, account.phrase)

    proposal = _go_to_the_ballot(voter, world, title)
    _read_both_answers(voter)
    _sign(voter, world.sites[0].voter_phrase)

    page = voter.open(proposal)
    seat = page.get_by_role("table", name="Ballots").get_by_role("row").filter(has_text="Hospital 3.5")
    voter.reload_until(seat.get_by_text("Yes", exact=True))
    voter.require_sound()


def _go_to_the_ballot(voter: Person, world: World, title: str) -> str:
    """From what waits at the portal to the ballot at the house; return the address of the proposal."""
    page = voter.page
    voter.reload_until(page.get_by_role("link", name=title))
    voter.require_sound()
    page.get_by_role("link", name=title).click()
    expect(page.get_by_role("link", name="Vote at your member page")).to_be_visible()
    voter.require_sound()
    proposal = page.url
    page.get_by_role("link", name="Vote at your member page").click()
    expect(page.get_by_text("Served by your own agent, inside Hospital 3.5.")).to_be_visible()
    voter.require_sound()
    voter.log_in_at_member_page(world.sites[0])
    ballot = page.get_by_role("listitem").filter(has_text=title).get_by_role("heading").get_by_role("link")
    voter.reload_until(ballot)
    voter.require_sound()
    ballot.click()
    return proposal


def _read_both_answers(voter: Person) -> None:
    """The sentence and its digest follow the answer, and only one of each is shown."""
    page = voter.page
    shown = []
    for answer in ("No", "Yes"):
        page.get_by_role("radio", name=answer, exact=True).check()
        sentence, digest = page.locator(".sentence:visible"), page.locator(".ballot-digest:visible")
        expect(sentence).to_have_count(1)
        expect(digest).to_have_count(1)
        assert re.search(rf"\b{answer.lower()}\b", sentence.inner_text())
        shown.append((sentence.inner_text(), digest.inner_text()))
        voter.require_sound()
    assert shown[0][0] != shown[1][0]
    assert shown[0][1] != shown[1][1]


def _sign(voter: Person, phrase: str) -> None:
    page = voter.page
    page.get_by_label("Your pass phrase again").fill("not the pass phrase")
    page.get_by_role("button", name="Sign this ballot").click()
    expect(page.get_by_role("alert")).to_be_visible()
    voter.require_sound()
    page.get_by_role("radio", name="Yes", exact=True).check()
    page.get_by_label("Your pass phrase again").fill(phrase)
    page.get_by_role("button", name="Sign this ballot").click()
    expect(page.get_by_role("heading", name="Your ballot is signed: yes")).to_be_visible()
    voter.require_sound()
    voter.reload_until(page.get_by_text("On the chain by block"))
    voter.require_sound()
