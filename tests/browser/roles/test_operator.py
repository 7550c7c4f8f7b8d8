"""The operator: lands on the health of the deployment, and sees no tenant's row."""

import pytest
from playwright.sync_api import expect

from consortium.demo.world import World
from tests.browser.places import as_operator
from tests.browser.roles.conftest import Arrive

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(900)]

SECTIONS = ("Members", "Proposals", "Consents", "Data sets", "Plans", "Runs", "Models", "People and roles")


def test_an_operator_lands_on_the_deployments_health_and_sees_no_tenants_row(world: World, arrive: Arrive):
    operator = arrive()
    as_operator(operator, world)

    page = operator.page
    checks = page.get_by_role("region", name="Deployment").get_by_role("table", name="Checks")
    expect(checks.get_by_role("rowheader", name="database")).to_be_visible()
    operator.require_sound()

    for section in SECTIONS:
        operator.go(section)
        shown = page.locator("body").inner_text()
        assert not [site.hospital.name for site in world.sites if site.hospital.name in shown], section
        assert "Arizona" not in shown, section
