"""The compliance officer: makes a report, reads it, takes it away; a stranger verifies what was taken."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import expect

from consortium.demo.steps.evidence import VERIFIED, trust_file, verify
from consortium.demo.world import World
from tests.browser.driving import Person
from tests.browser.roles.conftest import Arrive, Colleague
from tests.browser.roles.people import COMPLIANCE

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser"), pytest.mark.timeout(900)]


def test_a_compliance_officer_reads_the_records_of_processing_and_takes_away_what_a_stranger_verifies(
    world: World, arrive: Arrive, colleague: Colleague, tmp_path: Path
):
    officer, account = arrive(), colleague(COMPLIANCE)
    officer.log_in(account.email, account.phrase)
    trust = trust_file(world, _origin(world))

    _make(officer, "Records of processing activities")
    assert officer.page.get_by_text("Needs a person").count() > 0
    officer.require_sound()

    assert _take(officer, "PDF", tmp_path).read_bytes().startswith(b"%PDF-")
    report = json.loads(_take(officer, "JSON", tmp_path).read_text())
    assert report["consortium"]["id"] == world.consortium["id"]
    checked = verify(_take(officer, "Download bundle", tmp_path), trust)
    assert checked.returncode == VERIFIED, checked.stdout


def test_a_compliance_officer_makes_the_dossier_of_a_released_model(arrive: Arrive, colleague: Colleague):
    officer, account = arrive(), colleague(COMPLIANCE)
    officer.log_in(account.email, account.phrase)
    officer.require_sound()

    _make(officer, "Technical documentation of a model", model="Released")
    officer.page.get_by_role("link", name="What needs a person").click()
    officer.require_sound()
    officer.page.get_by_role("link", name="See the model").click()
    expect(officer.page.get_by_role("region", name="Where it comes from")).to_be_visible()


def _make(officer: Person, report: str, *, model: str = "") -> None:
    """Ask for a report and follow it: the page goes on by itself."""
    page = officer.go("Reports")
    officer.require_sound()
    page.get_by_role("article").get_by_role("link", name=report, exact=True).click()
    officer.require_sound()
    if model:
        choice = page.get_by_label("Model")
        choice.select_option(label=choice.get_by_role("option").filter(has_text=model).first.inner_text())
    page.get_by_role("button", name="Make the report").click()
    expect(page.get_by_role("heading", level=1, name=report)).to_be_visible()
    officer.require_sound()
    expect(page.get_by_role("link", name="Download bundle")).to_be_visible(timeout=90_000)
    expect(page.get_by_text("answers come from records")).to_be_visible()
    officer.require_sound()


def _take(officer: Person, link: str, folder: Path) -> Path:
    with officer.page.expect_download() as taken:
        officer.page.get_by_role("link", name=link).click()
    path = folder / taken.value.suggested_filename
    taken.value.save_as(path)
    return path


def _origin(world: World) -> str:
    """The name of the consortium's log."""
    with world.admin(world.sites[2]) as member:
        found = member.get(f"consortia/{world.consortium['id']}/checkpoints")
    origin: str = found["results"][0]["origin"]
    return origin
