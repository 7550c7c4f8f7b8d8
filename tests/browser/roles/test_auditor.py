"""The auditor: filters the records, checks one in the browser, and follows the act that it belongs to."""

import pytest
from playwright.sync_api import expect

from tests.browser.driving import Person
from tests.browser.roles.conftest import Arrive
from tests.browser.roles.people import Account

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(900)]

ACT = "model.release.decide"


def test_an_auditor_filters_the_records_checks_one_in_the_browser_and_follows_its_act(arrive: Arrive, auditor: Account):
    visitor = arrive()
    visitor.log_in(auditor.email, auditor.phrase)
    expect(visitor.page.get_by_text("You read as its auditor")).to_be_visible()
    visitor.require_sound()

    _filter(visitor)
    _verify(visitor)
    visitor.page.get_by_role("link", name="Follow the act").click()
    expect(visitor.page.get_by_role("heading", level=1, name="One act followed")).to_be_visible()
    expect(visitor.page.get_by_role("main").get_by_role("listitem").first).to_be_visible()
    visitor.require_sound()


def _filter(visitor: Person) -> None:
    page = visitor.go("Audit")
    visitor.require_sound()
    page.get_by_label("Act", exact=True).select_option(ACT)
    page.get_by_role("button", name="Show these records").click()
    expect(page.get_by_role("link", name="Clear the filters")).to_be_visible()
    rows = page.get_by_role("table", name="Records").get_by_role("rowheader")
    assert all(ACT in text for text in rows.all_inner_texts())
    visitor.require_sound()


def _verify(visitor: Person) -> None:
    """Every step of the check is told, and every one holds."""
    page = visitor.page
    page.get_by_role("table", name="Records").get_by_role("rowheader").get_by_role("link").first.click()
    visitor.require_sound()
    page.get_by_role("button", name="Verify in this browser").click()
    expect(page.get_by_role("status").filter(has_text="Every step holds")).to_be_visible()
    told = page.get_by_role("region", name="Check it yourself").locator("ol").get_by_role("listitem")
    assert told.count() == 5
    assert all("Holds: " in text for text in told.all_inner_texts())
    visitor.require_sound()
