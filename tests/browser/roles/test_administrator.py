"""The administrator: lands on what waits, lets people in by a link, changes what they may, shuts them out."""

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from consortium.demo.world import World
from tests.browser.driving import Person
from tests.browser.places import as_administrator
from tests.browser.roles.conftest import Arrive
from tests.browser.roles.people import (
    SCIENTIST,
    STEWARD,
    Account,
    choose_pass_phrase,
    invite,
    invite_auditor,
    new_account,
)

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(900)]


def test_an_administrator_lets_somebody_in_by_a_link_changes_roles_shuts_out_and_lets_in_again(
    world: World, arrive: Arrive
):
    administrator, guest, account = arrive(), arrive(), new_account("Steward")
    as_administrator(administrator, world)
    link = invite(administrator, account, STEWARD)

    _see_on_the_landing_page(administrator)
    guest.open(link)
    guest.require_sound()
    expect(guest.page.get_by_role("heading", level=1, name="Join Hospital 3.5")).to_be_visible()
    choose_pass_phrase(guest, account)
    guest.require_sound()

    _change_the_roles(administrator, account)
    _deactivate(administrator, account)
    guest.page.reload()
    expect(guest.page.get_by_role("heading", level=1, name="Log in")).to_be_visible()
    _reactivate(administrator, account)
    guest.log_in(account.email, account.phrase)
    expect(guest.page.get_by_role("heading", level=1, name="Overview")).to_be_visible()


def test_an_administrator_sees_the_auditors_and_takes_an_invitation_back(
    world: World, arrive: Arrive, auditor: Account
):
    administrator, late = arrive(), new_account("Auditor")
    as_administrator(administrator, world)
    link = invite_auditor(administrator, late)

    page = administrator.go("People and roles")
    expect(_row(page, "Auditors", auditor.name)).to_contain_text("Hospital 3.5")
    _row(page, "Invitations", late.name).get_by_role("button", name="Take back").click()
    expect(page.get_by_role("status").filter(has_text="The invitation is taken back")).to_be_visible()
    administrator.require_sound()

    stranger = arrive()
    stranger.open(link)
    expect(stranger.page.get_by_role("heading", level=1, name="This link lets nobody in")).to_be_visible()
    stranger.require_sound()


def _see_on_the_landing_page(administrator: Person) -> None:
    page = administrator.go("Overview")
    administrator.require_sound()
    waiting = page.get_by_role("region", name="Waiting for you")
    invited = waiting.get_by_role("link", name=re.compile("invited (person has|people have) not come in"))
    expect(invited).to_be_visible()


def _change_the_roles(administrator: Person, account: Account) -> None:
    page = administrator.go("People and roles")
    administrator.require_sound()
    page.get_by_role("link", name=account.name).click()
    administrator.require_sound()
    page.get_by_role("checkbox", name=SCIENTIST).check()
    page.get_by_role("button", name="Change the roles").click()
    expect(page.get_by_role("status").filter(has_text=f"The roles of {account.name} were changed")).to_be_visible()
    expect(_row(page, "People", account.name)).to_contain_text(SCIENTIST)


def _deactivate(administrator: Person, account: Account) -> None:
    page = administrator.page
    page.get_by_role("link", name=account.name).click()
    page.get_by_text("I want to deactivate this person").click()
    administrator.require_sound()
    page.get_by_role("button", name=f"Deactivate {account.name}").click()
    expect(_row(page, "People", account.name)).to_contain_text("Deactivated")
    administrator.require_sound()


def _reactivate(administrator: Person, account: Account) -> None:
    page = administrator.page
    page.get_by_role("link", name=account.name).click()
    administrator.require_sound()
    page.get_by_role("button", name="Reactivate").click()
    expect(_row(page, "People", account.name)).to_contain_text("Active")


def _row(page: Page, table: str, name: str) -> Locator:
    return page.get_by_role("table", name=table, exact=True).get_by_role("row").filter(has_text=name)
