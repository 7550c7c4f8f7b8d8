"""People who come in by a link, as an administrator hands it to them."""

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from playwright.sync_api import Page, expect

from tests.browser.driving import Person

STEWARD, SCIENTIST = "Data steward", "Data scientist"
VOTER, COMPLIANCE = "Voter", "Compliance officer"


@dataclass(frozen=True, slots=True)
class Account:
    """Who somebody is at the portal, and what they type to get in."""

    name: str
    email: str
    phrase: str


def new_account(word: str) -> Account:
    """An account that nobody has yet: the instance is kept between runs of the tests."""
    token = secrets.token_hex(4)
    return Account(f"{word} {token}", f"{token}@people.example", secrets.token_urlsafe(12))


def invite(administrator: Person, account: Account, *roles: str) -> str:
    """Invite somebody with these roles; return the link that the page shows once."""
    administrator.go("People and roles")
    page = administrator.page
    page.get_by_role("link", name="Invite a person").click()
    page.get_by_label("E-mail address").fill(account.email)
    page.get_by_label("Name", exact=True).fill(account.name)
    for role in roles:
        page.get_by_role("checkbox", name=role).check()
    return _link(administrator, account)


def invite_auditor(administrator: Person, account: Account) -> str:
    """Invite an auditor for a month; return the link."""
    administrator.go("People and roles")
    page = administrator.page
    page.get_by_role("link", name="Invite an auditor").click()
    page.get_by_label("E-mail address").fill(account.email)
    page.get_by_label("Name", exact=True).fill(account.name)
    page.get_by_label("Last day").fill((datetime.now(UTC).date() + timedelta(days=30)).isoformat())
    return _link(administrator, account)


def come_in(guest: Person, account: Account, link: str) -> Page:
    """Open the link and choose a pass phrase: one lands inside."""
    guest.open(link)
    return choose_pass_phrase(guest, account)


def choose_pass_phrase(guest: Person, account: Account) -> Page:
    """Fill in the page to which the link has led."""
    page = guest.page
    page.get_by_label("Pass phrase", exact=True).fill(account.phrase)
    page.get_by_label("Pass phrase again").fill(account.phrase)
    page.get_by_role("button", name="Come in").click()
    expect(page.get_by_role("heading", level=1, name="Overview")).to_be_visible()
    return page


def _link(administrator: Person, account: Account) -> str:
    administrator.require_sound()
    page = administrator.page
    page.get_by_role("button", name="Make the link").click()
    expect(page.get_by_role("heading", level=1, name=f"The link for {account.name}")).to_be_visible()
    administrator.require_sound()
    return page.get_by_role("main").get_by_role("code").inner_text()
