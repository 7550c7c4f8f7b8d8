"""The scientist: drafts a plan, has it voted on, starts a run, watches it to its end, opens the model."""

import re
import secrets
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from consortium.demo.plan import LONG_STAY_DAYS
from consortium.demo.world import World
from tests.browser.driving import Person
from tests.browser.roles.conftest import Arrive, Colleague
from tests.browser.roles.deciding import approve_plan
from tests.browser.roles.people import SCIENTIST

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(900)]

ROUNDS = 2


def test_a_scientist_drafts_a_plan_runs_it_after_the_vote_and_opens_the_model(
    world: World, arrive: Arrive, colleague: Colleague
):
    scientist, voter = arrive(), arrive()
    title, account = f"Long stay, drafted at a desk {secrets.token_hex(4)}", colleague(SCIENTIST)
    scientist.log_in(account.email, account.phrase)
    scientist.require_sound()

    _draft(scientist, title)
    plan = urlsplit(scientist.page.url).path.rstrip("/").rpartition("/")[2]
    _propose(voter, world, _digest(scientist))
    approve_plan(world, world.sites[0], plan)
    _start(scientist)
    _watch(scientist)
    _open_the_model(scientist, title)


def _draft(scientist: Person, title: str) -> None:
    page = scientist.go("Plans")
    scientist.require_sound()
    page.get_by_role("link", name="Draft a plan").click()
    scientist.require_sound()
    page.get_by_label("Title").fill(title)
    page.get_by_label("Predict whether it is greater than").fill(str(LONG_STAY_DAYS))
    page.get_by_label("Rounds a run").fill("none")
    page.get_by_role("button", name="Preview what the sites will check").click()
    expect(page.get_by_role("alert")).to_contain_text("everything you entered is still here")
    expect(page.get_by_label("Rounds a run")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Title")).to_have_value(title)
    scientist.require_sound()

    page.get_by_label("Rounds a run").fill(str(ROUNDS))
    page.get_by_role("button", name="Preview what the sites will check").click()
    expect(page.get_by_role("region", name="What the sites will check")).to_be_visible()
    scientist.require_sound()
    page.get_by_role("button", name="Keep this draft").click()
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    scientist.require_sound()


def _digest(scientist: Person) -> str:
    """As the page tells it to whoever puts the plan to the vote."""
    command = scientist.page.get_by_text("consilium-site plans propose").inner_text()
    found = re.search(r"sha256:[0-9a-f]{64}", command)
    assert found, command
    return found.group()


def _propose(voter: Person, world: World, digest: str) -> None:
    """The hospital's voter signs the proposal at the member page."""
    page = voter.log_in_at_member_page(world.sites[0])
    page.get_by_role("link", name="Plans and runs").click()
    page.get_by_label("Digest of the plan").fill(digest)
    page.get_by_role("button", name="Read the plan").click()
    expect(page.get_by_role("heading", name="Put this plan to the vote?")).to_be_visible()
    voter.require_sound()
    page.get_by_label("Your pass phrase again").fill(world.sites[0].voter_phrase)
    page.get_by_role("button", name="Sign the proposal").click()
    expect(page.get_by_role("status").filter(has_text="The plan is put to the vote")).to_be_visible()
    voter.require_sound()


def _start(scientist: Person) -> None:
    page = scientist.page
    scientist.reload_until(page.get_by_role("link", name="Start a run"))
    scientist.require_sound()
    page.get_by_role("link", name="Start a run").click()
    expect(page.get_by_role("heading", level=1, name="Start a run?")).to_be_visible()
    scientist.require_sound()
    page.get_by_role("button", name="Start the run").click()


def _watch(scientist: Person) -> None:
    """The page follows the run by itself: nobody loads it again."""
    page = scientist.page
    expect(page.get_by_role("button", name="Pause updates")).to_be_visible()
    scientist.require_sound()
    expect(page.get_by_role("heading", name=f"Rounds, {ROUNDS} of {ROUNDS} closed")).to_be_visible(timeout=120_000)
    expect(page.get_by_text("Completed", exact=True).first).to_be_visible(timeout=30_000)
    scientist.require_sound()


def _open_the_model(scientist: Person, title: str) -> None:
    page = scientist.go("Models")
    scientist.reload_until(page.get_by_role("rowheader").get_by_role("link", name=title))
    page.get_by_role("rowheader").get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()
    lineage = page.get_by_role("region", name="Where it comes from")
    for hospital in ("Hospital 3.5", "Hospital 6.5"):
        expect(lineage.get_by_text(hospital).locator("visible=true").first).to_be_visible()
    lineage.get_by_text("Show every round with its weights").click()
    expect(lineage.get_by_text(f"Round {ROUNDS}", exact=True)).to_be_visible()
    scientist.require_sound()
