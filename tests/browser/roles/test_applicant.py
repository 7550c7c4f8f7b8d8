"""The applicant: an organization outside asks for admission, and a member sees how to propose it."""

import json
import secrets

import pytest
from playwright.sync_api import expect

from consortium.demo.world import CONSORTIUM, World
from consortium.embedded.credentials import write_secret
from tests.browser.driving import Person
from tests.browser.places import as_administrator
from tests.browser.roles.conftest import Arrive
from tests.browser.roles.people import Account, new_account

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(900)]


def test_an_organization_outside_applies_and_a_member_sees_how_to_propose_it(world: World, arrive: Arrive):
    applicant, member, account = arrive(), arrive(), new_account("Clinic")
    _make_organization(world, account)
    applicant.log_in(account.email, account.phrase)

    _apply(applicant)
    row = applicant.page.get_by_role("table", name="Memberships and applications").get_by_role("row")
    expect(row.filter(has_text="Arizona Cardiac")).to_contain_text("Waits for a member to propose your admission")
    applicant.require_sound()

    as_administrator(member, world)
    member.page.get_by_role("link", name=f"{account.name} applies for admission").click()
    expect(member.page.get_by_role("heading", level=1, name=account.name)).to_be_visible()
    expect(member.page.get_by_text("consilium-site propose act.json --as NAME")).to_be_visible()
    act = json.loads(member.page.get_by_role("group", name="The act as a file").inner_text())
    assert act["kind"] == "Admit"
    member.require_sound()


def _make_organization(world: World, account: Account) -> None:
    """As an operator does; its administrator gets the account."""
    person = {"email": account.email, "name": account.name, "roles": ["admin"], "pass_phrase": account.phrase}
    entry = {"slug": account.name.lower().replace(" ", "-"), "name": account.name, "people": [person]}
    path = world.instance.layout.platform / "applicant.json"
    write_secret(path, json.dumps([entry]), world.instance.accounts.platform())
    world.instance.manage("create_organizations", str(path), role="system")
    path.unlink()


def _apply(applicant: Person) -> None:
    page = applicant.page
    applicant.require_sound()
    page.get_by_role("link", name="Apply to a consortium").click()
    page.get_by_label("Short name of the consortium").fill(CONSORTIUM)
    page.get_by_label("Vote key").fill("0x12")
    page.get_by_label("Site key").fill(_address())
    page.get_by_label("Validator").fill(_address())
    page.get_by_role("button", name="Apply for admission").click()
    expect(page.get_by_text("An address is 0x and 40 hexadecimal digits.")).to_be_visible()
    applicant.require_sound()

    page.get_by_label("Vote key").fill(_address())
    page.get_by_role("button", name="Apply for admission").click()
    expect(page.get_by_role("status").filter(has_text="The application is recorded")).to_be_visible()


def _address() -> str:
    return f"0x{secrets.token_hex(20)}"
