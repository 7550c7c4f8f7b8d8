"""A consortium's auditor reads its log, asks for reports and keeps them to themselves; all of it ends with the day."""

import json
import uuid
import zipfile
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from django.db import transaction
from django.db.utils import ProgrammingError
from django.test import Client
from django.utils import timezone

from audit import tasks
from audit.bundles.building import build_bundle
from audit.bundles.exporters import Exporter
from audit.bundles.orders import Order
from audit.bundles.requests import TASK, export_bundle
from audit.bundles.storage import bundle_path
from audit.bundles.sweeping import LOST_AFTER
from audit.compliance.evidence import AUDITOR, OF_EACH_MEMBER
from audit.compliance.registry import REPORTS
from audit.models import AuditRecord, Bundle
from consortium.common.models import RememberedAnswer
from consortium.common.tenancy import act_for
from consortium.membership.models import AuditorAppointment, RoleAssignment, User
from contracts.reading.evidence import evidence_from_settings
from tests.factories.membership import make_user
from tests.integration.bundles.conftest import ask_for_bundle
from tests.integration.bundles.verifying import verify

OPEN = ("ai_act_annex_iv", "audit_controls", "gdpr_art_7", "hipaa_164_312_b")
OF_A_MEMBER = ("gdpr_art_30", "hipaa_164_528")


@pytest.fixture(autouse=True)
def queued(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is put into the worker's queue."""
    sent: list[Any] = []
    monkeypatch.setattr("audit.bundles.requests.current_app.send_task", lambda name, args: sent.append((name, args)))
    return sent


@pytest.fixture
def regulator(world, as_system) -> User:
    """A person of no organization, who audits the hospital's and the bank's consortium."""
    with as_system():
        user = make_user("regulator@authority.example")
        until = timezone.now() + timedelta(days=30)
        AuditorAppointment.objects.create(user=user, consortium=world.consortium, until=until)
    return user


@pytest.fixture
def client(regulator, login) -> Client:
    return login("regulator@authority")


@pytest.fixture
def ends(regulator, as_system):
    """End the appointment: before this test's one transaction, whose begin is the database's now."""

    def run() -> None:
        with as_system():
            AuditorAppointment.objects.update(until=timezone.now() - timedelta(hours=1))

    return run


def order(world, user: User, report: str = "audit_controls") -> Bundle:
    """Ask as the auditor does."""
    with transaction.atomic(), act_for(organization_id=None, person_id=user.pk):
        return export_bundle(consortium_id=world.consortium.pk, exporter=Exporter(user.pk, None), order=Order(report))


def make(bundle: Bundle, chain: Any) -> Bundle:
    build_bundle(bundle_id=bundle.pk, organization_id=None, person_id=bundle.person_id, chain=chain)
    with transaction.atomic(), act_for(organization_id=None, person_id=bundle.person_id):
        return Bundle.objects.get(pk=bundle.pk)


def post(client: Client, address: str, body: dict[str, str] | None = None, key: str = "1"):
    return client.post(address, body or {}, "application/json", headers={"Idempotency-Key": key})


def bundle_count(as_system) -> int:
    with as_system():
        return Bundle.objects.count()


# -- asking


def test_an_auditor_asks_on_the_page_and_follows_the_report_alone(client, regulator, world, act, queued, login):
    act(1)
    answer = client.post("/reports/", {"consortium": str(world.consortium.pk), "report": "hipaa_164_312_b"})
    with act_for(organization_id=None, person_id=regulator.pk):
        bundle = Bundle.objects.get()

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/reports/{bundle.pk}/")
    assert (bundle.organization_id, bundle.person_id) == (None, regulator.pk)
    assert "The report is being made" in client.get(f"/reports/{bundle.pk}/").content.decode()
    listed = client.get("/reports/").content.decode()
    assert f"/reports/{bundle.pk}/" in listed
    assert "Yours alone, as long as you are appointed" in listed
    for member in ("compliance@hospital", "admin@bank", "admin@outsider"):
        assert login(member).get(f"/reports/{bundle.pk}/").status_code == 404, member


def test_an_auditor_asks_at_the_api_once_a_key(
    client, regulator, world, act, queued, django_capture_on_commit_callbacks
):
    act(1)
    path = f"/api/v1/consortia/{world.consortium.pk}/bundles"
    with django_capture_on_commit_callbacks(execute=True):
        first, again = post(client, path), post(client, path)

    assert (first.status_code, again.status_code) == (202, 202)
    assert first.json() == again.json()
    assert queued == [(TASK, [first.json()["id"], "", str(regulator.pk)])]
    assert [item["id"] for item in client.get(path).json()["results"]] == [first.json()["id"]]
    with act_for(organization_id=world.hospital.pk):
        assert not RememberedAnswer.objects.exists()
    with act_for(organization_id=None, person_id=uuid.uuid4()):
        assert not RememberedAnswer.objects.exists()


def test_the_page_offers_what_tells_of_the_consortium_and_says_whose_the_rest_is(client, act):
    act(1)
    text = client.get("/reports/").content.decode()

    assert set(OPEN) | set(OF_A_MEMBER) == set(REPORTS)
    assert [name for name in OPEN if f"?framework={name}" not in text] == []
    assert [name for name in OF_A_MEMBER if f"?framework={name}" in text] == []
    assert "own account is that member" in text


@pytest.mark.parametrize("name", OF_A_MEMBER)
def test_a_members_own_account_is_refused_and_the_attempt_recorded(client, world, act, as_system, name):
    act(1)
    assert client.get(f"/reports/?framework={name}").status_code == 403
    answer = post(client, f"/api/v1/consortia/{world.consortium.pk}/bundles", {"report": name})

    assert (answer.status_code, answer.json()["code"]) == (403, "report_of_member")
    assert "Ask the member for it" in answer.json()["detail"]
    assert bundle_count(as_system) == 0
    with as_system():
        refused = AuditRecord.objects.get(action="audit.bundle.export")
    assert (refused.outcome, refused.error_code, refused.actor_organization_id) == ("refused", "report_of_member", None)


def test_before_anything_is_recorded_there_is_nothing_to_export(client, world, as_system):
    answer = post(client, f"/api/v1/consortia/{world.consortium.pk}/bundles")

    assert (answer.status_code, answer.json()["code"]) == (503, "nothing_to_export")
    assert bundle_count(as_system) == 0


def test_an_auditor_reads_and_exports_nothing_of_another_consortium(client, world, act, as_system):
    act(1, consortium=world.other_consortium)
    other = f"/api/v1/consortia/{world.other_consortium.pk}"
    for name in ("records", "checkpoints", "bundles", "trust"):
        assert client.get(f"{other}/{name}").status_code == 404, name
    assert post(client, f"{other}/bundles").status_code == 404
    form = {"consortium": str(world.other_consortium.pk), "report": "audit_controls"}
    assert client.post("/reports/", form).status_code == 404
    assert client.get(f"/bundles/trust/{world.other_consortium.pk}/").status_code == 404
    assert bundle_count(as_system) == 0


def test_who_acts_for_an_organization_elsewhere_exports_as_auditor_here(world, act, login, as_system):
    act(1)
    with as_system():
        person = User.objects.get(email="admin@outsider.example")
        AuditorAppointment.objects.create(user=person, consortium=world.consortium)
    client = login("admin@outsider")
    made = post(client, f"/api/v1/consortia/{world.consortium.pk}/bundles")

    assert made.status_code == 202
    assert client.get(f"/reports/{made.json()['id']}/").status_code == 200
    with as_system():
        assert Bundle.objects.get().organization_id is None
    # Their colleagues are nobody's auditors.
    with as_system():
        colleague = make_user("officer@outsider.example")
        RoleAssignment.objects.create(user=colleague, organization=world.outsider, role="compliance")
    assert login("officer@outsider").get(f"/reports/{made.json()['id']}/").status_code == 404


def test_a_scientist_who_audits_another_consortium_reads_only_that_ones_log(world, act, login, as_system):
    ours, theirs = act(1), act(1, consortium=world.other_consortium)
    with as_system():
        person = User.objects.get(email="scientist@hospital.example")
        AuditorAppointment.objects.create(user=person, consortium=world.other_consortium)
    client = login("scientist@hospital")

    assert client.get(f"/audit/records/{theirs.pk}/").status_code == 200
    assert client.get(f"/audit/records/{ours.pk}/").status_code == 404
    assert client.get(f"/api/v1/consortia/{world.consortium.pk}/records").status_code == 403
    assert post(client, f"/api/v1/consortia/{world.consortium.pk}/bundles").status_code == 403


# -- the bundle


@pytest.mark.services
def test_a_stranger_verifies_an_auditors_bundle_and_the_log_names_its_export(
    world, regulator, client, anchored_log, chain, tmp_path, monkeypatch, as_system
):
    evidence_from_settings.cache_clear()
    monkeypatch.setattr("audit.bundles.trust.evidence_from_settings", lambda: chain.gateway)
    trust = client.get(f"/bundles/trust/{world.consortium.pk}/").json()
    done = make(order(world, regulator), chain.gateway)

    assert (done.state, done.error_text) == ("ready", "")
    content = client.get(f"/bundles/{done.pk}/download/").content
    assert content == client.get(f"/api/v1/bundles/{done.pk}/content").content
    assert verify(content, trust, tmp_path).status == 0
    with as_system():
        export = AuditRecord.objects.get(action="audit.bundle.export")
    assert (export.outcome, export.actor_kind, export.actor_organization_id) == ("succeeded", "person", None)
    assert str(regulator.pk) not in bytes(export.canonical).decode()


@pytest.mark.services
def test_its_report_holds_what_all_members_see_and_says_whose_the_rest_is(world, regulator, anchored_log, chain):
    done = make(order(world, regulator), chain.gateway)
    with zipfile.ZipFile(BytesIO(bundle_path(done.pk).read_bytes())) as archive:
        text = archive.read("report.json").decode()
    report = json.loads(text)
    fields = {field["name"]: field for part in report["parts"] for field in part["fields"]}

    assert report["exported_by"] == {"id": None, "name": AUDITOR}
    assert str(regulator.pk) not in text
    assert "regulator" not in text
    own = ("batches", "grants_active", "withdrawals_recorded", "reviewers_admin", "longest_seconds_to_effect")
    assert {name: (fields[name]["value"], fields[name]["reason"]) for name in own} == dict.fromkeys(
        own, (None, OF_EACH_MEMBER)
    )
    assert fields["log_size"]["value"] == report["log"]["size"]


@pytest.mark.services
def test_every_report_that_is_open_to_auditors_is_made(world, regulator, anchored_log, chain, as_system):
    made = {name: make(order(world, regulator, name), chain.gateway) for name in OPEN if not REPORTS[name].needs_model}

    assert {name: (one.state, one.error_text) for name, one in made.items()} == dict.fromkeys(made, ("ready", ""))


# -- the second wall


def test_the_database_shows_an_auditors_bundle_to_that_person_alone(world, regulator, as_system, act):
    act(1)
    bundle = order(world, regulator)
    with as_system():
        colleague = make_user("second@authority.example")
        AuditorAppointment.objects.create(user=colleague, consortium=world.consortium)
    compliance = identities(world)
    for organization, person in (*compliance, (None, colleague.pk), (None, None)):
        with transaction.atomic(), act_for(organization_id=organization, person_id=person):
            assert not Bundle.objects.filter(pk=bundle.pk).exists()
            assert not Bundle.objects.filter(pk=bundle.pk).update(report="gdpr_art_7")
    with transaction.atomic(), act_for(organization_id=None, person_id=regulator.pk):
        assert Bundle.objects.get().report == "audit_controls"


def identities(world) -> list[tuple[uuid.UUID, uuid.UUID | None]]:
    with act_for(organization_id=world.hospital.pk):
        officer = User.objects.get(email="compliance@hospital.example").pk
    return [(world.hospital.pk, officer), (world.bank.pk, None), (world.outsider.pk, None)]


@pytest.mark.parametrize("whose", ["another person's", "another consortium's", "an organization's"])
def test_the_database_takes_no_bundle_but_an_auditors_own(world, regulator, as_system, whose):
    row = {"consortium_id": world.consortium.pk, "organization_id": None, "person_id": regulator.pk}
    row |= {
        "another person's": {"person_id": uuid.uuid4()},
        "another consortium's": {"consortium_id": world.other_consortium.pk},
        "an organization's": {"organization_id": world.hospital.pk},
    }[whose]
    with (
        pytest.raises(ProgrammingError, match="row-level security"),
        transaction.atomic(),
        act_for(organization_id=None, person_id=regulator.pk),
    ):
        Bundle.objects.create(**row, report="audit_controls", correlation_id="c")
    assert bundle_count(as_system) == 0


def test_an_organizations_bundle_is_none_of_the_auditors(world, client, regulator, act):
    act(1)
    bundle = ask_for_bundle(world)

    assert client.get(f"/reports/{bundle.pk}/").status_code == 404
    assert client.get(f"/api/v1/bundles/{bundle.pk}").status_code == 404
    assert str(bundle.pk) not in client.get("/reports/").content.decode()


# -- the end


@pytest.mark.services
def test_with_the_appointment_pages_files_and_the_api_end_at_once(
    world, regulator, client, anchored_log, chain, ends, as_system
):
    done = make(order(world, regulator), chain.gateway)
    with act_for(organization_id=world.hospital.pk):
        record = AuditRecord.objects.earliest("recorded_at")
    path = f"/api/v1/consortia/{world.consortium.pk}"
    found = {
        **{f"/reports/{done.pk}/{form}": 404 for form in ("", "report.pdf", "report.json", "report.html")},
        f"/bundles/{done.pk}/download/": 404,
        f"/bundles/trust/{world.consortium.pk}/": 404,
        f"/audit/records/{record.pk}/": 404,
        "/audit/": 403,
        "/reports/": 403,
        "/reports/?framework=audit_controls": 403,
        f"/api/v1/bundles/{done.pk}": 404,
        f"/api/v1/bundles/{done.pk}/content": 404,
        **{f"{path}/{name}": 404 for name in ("records", "checkpoints", "bundles", "trust")},
    }
    open_now = {address: client.get(address).status_code for address in found if "trust" not in address}
    assert set(open_now.values()) == {200}
    before = bundle_count(as_system)

    ends()

    assert {address: client.get(address).status_code for address in found} == found
    assert post(client, f"{path}/bundles", key="2").status_code == 404
    assert (
        client.post("/reports/", {"consortium": str(world.consortium.pk), "report": "audit_controls"}).status_code
        == 404
    )
    assert bundle_count(as_system) == before
    with transaction.atomic(), act_for(organization_id=None, person_id=regulator.pk):
        assert not Bundle.objects.exists()
        assert not AuditRecord.objects.exists()


def test_a_bundle_that_waits_is_not_made_once_the_appointment_has_ended(world, regulator, act, ends, as_system):
    act(1)
    bundle = order(world, regulator)
    ends()

    tasks.make_bundle(str(bundle.pk), "", str(regulator.pk))

    with as_system():
        assert (Bundle.objects.get().state, Bundle.objects.get().attempts) == ("requested", 0)
    assert not bundle_path(bundle.pk).exists()


def test_the_sweep_hands_an_auditors_bundle_out_while_they_are_appointed(
    world, regulator, act, ends, become, monkeypatch
):
    act(1)
    bundle, sent = order(world, regulator), []
    monkeypatch.setattr(tasks.make_bundle, "delay", lambda *arguments: sent.append(arguments))
    with become("NONE"):
        Bundle.objects.update(created_at=timezone.now() - LOST_AFTER - timedelta(seconds=1))

    with become("consilium_system"):
        assert tasks.sweep_bundles() == 1
    ends()
    with become("consilium_system"):
        assert tasks.sweep_bundles() == 0
    assert sent == [(str(bundle.pk), "", str(regulator.pk))]


# -- the landing page


def test_an_auditor_lands_on_ways_to_the_log_and_to_a_first_report(client, regulator, world, act):
    act(1)
    text = client.get("/").content.decode()
    assert 'href="/audit/"' in text
    assert "Make your first report of Shared" in text

    order(world, regulator)

    assert "Make your first report" not in client.get("/").content.decode()


def test_an_auditor_is_told_of_their_own_failed_bundle(client, regulator, world, act):
    act(1)
    bundle = order(world, regulator)
    with transaction.atomic(), act_for(organization_id=None, person_id=regulator.pk):
        Bundle.objects.filter(pk=bundle.pk).update(state="failed", error_code="chain", error_text="The node is away.")

    text = client.get("/").content.decode()
    assert "The last evidence bundle failed" in text
    assert "The node is away." in text
