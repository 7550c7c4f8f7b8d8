"""The data steward: imports consents at the house, sees what was refused and why, and withdraws for who asked."""

import json
import secrets
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import expect

from consent.fhir.generator import generate_consents
from consent.fhir.pseudonyms import pseudonym
from consortium.demo.sites import Site
from consortium.demo.world import World
from consortium.embedded.credentials import write_secret
from tests.browser.driving import Person
from tests.browser.roles.conftest import Arrive, Colleague
from tests.browser.roles.people import STEWARD, Account, new_account

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def house_account(world: World) -> Account:
    """A steward at the first hospital's own agent, and nothing else there."""
    made, site = new_account("Steward"), world.sites[0]
    account = Account(made.name.lower().replace(" ", "-"), "", made.phrase)
    write_secret(site.folder / "steward.phrase", account.phrase, site.account)
    site.run("people", "add", account.name, "--role", "steward", "--pass-phrase-file", "steward.phrase")
    return account


def test_a_steward_imports_a_file_sees_what_was_refused_and_withdraws_two_consents(
    world: World, arrive: Arrive, colleague: Colleague, house_account: Account, tmp_path: Path
):
    site, subjects = world.sites[0], [f"walk-in-{secrets.token_hex(4)}" for _subject in range(2)]
    at_house, at_portal = arrive(), arrive()
    at_house.log_in_at_member_page(site, house_account.name, house_account.phrase)
    _import(at_house, _file(tmp_path, subjects))

    account = colleague(STEWARD)
    at_portal.log_in(account.email, account.phrase)
    _see_the_import(at_portal)

    _withdraw_at_the_portal(at_portal, _pseudonym(site, subjects[0]))
    _withdraw_at_the_house(at_house, subjects[1], house_account)


def _file(folder: Path, subjects: list[str]) -> Path:
    """Two consents that hold, one whose provision says neither yes nor no, and a line that is no JSON."""
    made_for = datetime.now(UTC).replace(microsecond=0)
    good = list(generate_consents(subjects, seed=int(made_for.timestamp()), made_for=made_for).resources)
    for consent in good:
        consent["provision"]["type"] = "permit"
    bad = good[0] | {"id": f"malformed-{secrets.token_hex(4)}", "provision": good[0]["provision"] | {"type": "maybe"}}
    path = folder / "consents.ndjson"
    path.write_text("".join(f"{line}\n" for line in (*map(json.dumps, (*good, bad)), "{no json")))
    return path


def _import(steward: Person, path: Path) -> None:
    page = steward.page
    page.get_by_role("navigation", name="Member page").get_by_role("link", name="Consents").click()
    steward.require_sound()
    page.get_by_role("link", name="Import a file").first.click()
    steward.require_sound()
    page.get_by_label("FHIR R4 Consents").set_input_files(path)
    page.get_by_role("button", name="Import the file").click()

    expect(page.get_by_text("2 refused", exact=True)).to_be_visible()
    refused = page.get_by_role("table", name="Refused lines")
    expect(refused.get_by_role("row").filter(has_text="Consent.provision.type")).to_contain_text("Correct")
    expect(refused.get_by_role("row").filter(has_text="not one JSON value")).to_contain_text(
        "Write one resource a line"
    )
    expect(page.get_by_text("2 consents taken in one step")).to_be_visible()
    steward.require_sound()


def _see_the_import(steward: Person) -> None:
    page = steward.page
    told = page.get_by_role("link", name="2 lines of the last consent import were refused")
    steward.reload_until(told)
    steward.require_sound()
    told.click()
    expect(page.get_by_text("The refused lines lie at your agent alone")).to_be_visible()
    steward.require_sound()
    steward.go("Consents")
    newest = page.get_by_role("table", name="Imports").get_by_role("row").nth(1)
    expect(newest.get_by_role("cell").nth(1)).to_contain_text("2")
    expect(newest.get_by_role("cell").nth(2)).to_contain_text("2")


def _withdraw_at_the_portal(steward: Person, subject: str) -> None:
    page = steward.page
    page.get_by_role("link", name="Record a withdrawal").click()
    page.get_by_label("Pseudonym").fill("Jane")
    page.get_by_role("button", name="See what it does").click()
    expect(page.get_by_text("A pseudonym is 64 digits and letters")).to_be_visible()
    steward.require_sound()
    page.get_by_label("Pseudonym").fill(subject)
    page.get_by_role("button", name="See what it does").click()
    expect(page.get_by_role("heading", level=1, name="Withdraw this consent?")).to_be_visible()
    steward.require_sound()
    page.get_by_role("button", name="Withdraw the consent").click()

    expect(page.get_by_role("status").filter(has_text="The withdrawal is recorded")).to_be_visible()
    steward.require_sound()
    way = page.get_by_role("complementary", name="How far it is").get_by_role("listitem")
    steward.reload_until(way.filter(has_text="Received by your agent"))
    steward.reload_until(way.filter(has_text="Confirmed"))
    expect(page.get_by_role("table", name="Effects").get_by_role("row").nth(1)).not_to_contain_text("Not yet")
    steward.require_sound()


def _withdraw_at_the_house(steward: Person, record: str, account: Account) -> None:
    page = steward.page
    page.get_by_role("navigation", name="Member page").get_by_role("link", name="Consents").click()
    page.get_by_role("link", name="Withdraw a consent").click()
    steward.require_sound()
    page.get_by_label("Record id").first.fill(record)
    page.get_by_role("button", name="Go on to confirm").click()
    expect(page.get_by_role("heading", name="Withdraw this consent?")).to_be_visible()
    steward.require_sound()
    page.get_by_label("Your pass phrase again").fill(account.phrase)
    page.get_by_role("button", name="Withdraw the consent").click()

    expect(page.get_by_role("status").filter(has_text="The consent is withdrawn")).to_be_visible()
    newest = page.get_by_role("table", name="Withdrawals").get_by_role("row").nth(1)
    steward.reload_until(newest.get_by_text("On the chain for everybody"))
    steward.require_sound()


def _pseudonym(site: Site, record: str) -> str:
    """As the hospital's own agent tells it to the hospital's own people."""
    return pseudonym(bytes.fromhex((site.folder / "pseudonym.key").read_text()), record)
