"""The pages on which reports are chosen, asked for, followed, read and downloaded."""

import json
import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.bundles.storage import bundle_path
from audit.compliance.registry import REPORTS
from audit.models import AuditRecord, Bundle
from audit.portal.reports import FRAMEWORKS
from consortium.common.tenancy import act_for
from tests.factories.training import make_model, make_plan, make_round, make_run
from tests.integration.bundles.conftest import ask_for_bundle, make


@pytest.fixture
def officer(login):
    return login("compliance@hospital")


@pytest.fixture(autouse=True)
def nothing_is_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.bundles.requests.current_app.send_task", lambda name, args: None)


@pytest.fixture
def model(world, as_system):
    with as_system():
        run = make_run(world, make_plan(world), rounds=1)
        make_round(world, run, 1, 1)
        return make_model(run)


def page(client, address: str = "/reports/", status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status, answer.content
    return answer.content.decode()


def failed(world, **changes) -> Bundle:
    bundle = ask_for_bundle(world, **changes)
    with act_for(organization_id=world.hospital.pk):
        Bundle.objects.filter(pk=bundle.pk).update(
            state="failed", error_code="chain_unavailable", error_text="The node cannot be reached."
        )
    return bundle


def newest(world) -> Bundle:
    with act_for(organization_id=world.hospital.pk):
        return Bundle.objects.latest("created_at")


# -- choosing


def test_every_report_can_be_chosen_and_says_for_whom_it_is_and_what_a_person_adds(officer, world):
    text = page(officer)

    assert {framework.name for framework in FRAMEWORKS} == set(REPORTS)
    for framework in FRAMEWORKS:
        assert f"?framework={framework.name}" in text
        for words in (framework.label, framework.audience, framework.person):
            assert str(words) in text
    assert "Get the trust file from another member, not from here" in text
    assert f"/bundles/trust/{world.consortium.pk}/" in text
    assert "No report yet" in text


@pytest.mark.parametrize(("name", "years"), [("hipaa_164_528", 6), ("gdpr_art_30", 0)])
def test_the_form_stands_filled_with_the_usual_days(officer, name, years):
    today = datetime.now(UTC).date()
    text = page(officer, f"/reports/?framework={name}")

    assert f'name="until" value="{today}"' in text
    assert f'name="from" value="{today.year - years}-' in text
    assert 'name="model"' not in text


def test_a_dossier_offers_the_models_and_without_one_says_what_makes_one(officer, world, as_system, request):
    assert "No model yet" in page(officer, "/reports/?framework=ai_act_annex_iv")
    model = request.getfixturevalue("model")
    text = page(officer, "/reports/?framework=ai_act_annex_iv")
    assert f'<option value="{model.pk}"' in text


def test_a_framework_that_is_none_is_not_found(officer):
    page(officer, "/reports/?framework=dora", 404)


# -- asking


def test_a_report_is_asked_for_with_its_days_and_its_page_follows_it(officer, world):
    form = {"consortium": str(world.consortium.pk), "report": "gdpr_art_7", "from": "2026-01-01", "until": "2026-06-30"}
    answer = officer.post("/reports/", form)
    bundle = newest(world)

    assert (answer.status_code, answer.headers["Location"]) == (302, f"/reports/{bundle.pk}/")
    assert (str(bundle.period_from), str(bundle.period_until)) == ("2026-01-01", "2026-06-30")
    text = page(officer, f"/reports/{bundle.pk}/")
    assert "The report is being made" in text
    assert "Waiting for its turn" in text
    assert '<noscript><meta http-equiv="refresh"' in text


def test_a_dossier_is_asked_for_by_model(officer, world, model):
    form = {"consortium": str(world.consortium.pk), "report": "ai_act_annex_iv", "model": str(model.pk)}
    assert officer.post("/reports/", form).status_code == 302
    assert newest(world).model_id == model.pk


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"from": "2026-02-01", "until": "2026-01-01"}, "Choose an end that is not before the beginning"),
        ({"until": "2999-01-01"}, "Choose today or an earlier day"),
        ({"from": "yesterday"}, "yesterday is no day. Write it as year, month and day"),
        ({"report": "ai_act_annex_iv", "model": "no id"}, "That is no model. Choose one of the list"),
        ({"report": "ai_act_annex_iv"}, "Name one of the consortium&#x27;s models"),
    ],
)
def test_what_is_wrong_stands_above_its_field_and_what_was_written_stays(officer, world, model, form, words):
    whole = {"consortium": str(world.consortium.pk), "report": "gdpr_art_7", **form}
    answer = officer.post("/reports/", whole)
    text = answer.content.decode()

    assert answer.status_code == 400
    assert words in text
    assert 'aria-invalid="true"' in text
    assert form.get("from", "") in text
    with act_for(organization_id=world.hospital.pk):
        assert not Bundle.objects.exists()


def test_a_report_that_nobody_makes_is_not_found_and_nothing_is_asked_for(officer, world):
    assert officer.post("/reports/", {"consortium": str(world.consortium.pk), "report": "dora"}).status_code == 404
    with act_for(organization_id=world.hospital.pk):
        assert not Bundle.objects.exists()


# -- following


def test_the_part_that_changes_is_sent_only_when_it_has(officer, world):
    bundle = ask_for_bundle(world)
    address = f"/reports/{bundle.pk}/progress/"
    seen = officer.get(address).content.decode().partition("?seen=")[2].partition('"')[0]

    assert officer.get(f"{address}?seen={seen}").status_code == 204
    with act_for(organization_id=world.hospital.pk):
        Bundle.objects.filter(pk=bundle.pk).update(state="building", step="reporting", progress=50)
    changed = officer.get(f"{address}?seen={seen}")
    assert changed.status_code == 200
    assert 'aria-current="step"' in changed.content.decode()
    failed_now = {"state": "failed", "error_code": "internal", "error_text": "Something failed."}
    with act_for(organization_id=world.hospital.pk):
        Bundle.objects.filter(pk=bundle.pk).update(**failed_now)
    assert officer.get(f"{address}?seen={seen}").headers["HX-Refresh"] == "true"


def test_a_try_that_did_not_succeed_is_told_while_it_waits(officer, world):
    bundle = ask_for_bundle(world)
    with act_for(organization_id=world.hospital.pk):
        Bundle.objects.filter(pk=bundle.pk).update(attempts=2, error_text="The node cannot be reached.")

    text = page(officer, f"/reports/{bundle.pk}/")

    assert "2 tries did not succeed; it is tried again" in text
    assert "The node cannot be reached." in text


def test_a_failure_is_told_in_words_and_the_same_report_is_asked_for_again(officer, world, model):
    bundle = failed(world, report="ai_act_annex_iv", model_id=model.pk)

    text = page(officer, f"/reports/{bundle.pk}/")
    assert "The node cannot be reached." in text
    assert "/download/" not in text
    assert "The node cannot be reached." in page(officer)
    again = {
        name: text.partition(f'name="{name}" value="')[2].partition('"')[0]
        for name in ("report", "consortium", "from", "until", "model")
    }
    assert officer.post("/reports/", again).status_code == 302
    asked = newest(world)
    assert asked.pk != bundle.pk
    assert (asked.report, asked.model_id, asked.period_from) == (bundle.report, bundle.model_id, bundle.period_from)


def test_earlier_reports_are_narrowed_by_kind_and_state(officer, world):
    ask_for_bundle(world, report="gdpr_art_7")
    failed(world, report="hipaa_164_528")
    links = [f"/reports/{bundle}/" for bundle in (newest(world).pk,)]

    assert links[0] in page(officer, "/reports/?report=hipaa_164_528")
    assert links[0] in page(officer, "/reports/?state=failed")
    assert links[0] not in page(officer, "/reports/?report=gdpr_art_7")
    assert "No report like that" in page(officer, "/reports/?report=gdpr_art_7&state=failed")


# -- reading


@pytest.fixture
def done(world, anchored_log, chain) -> Bundle:
    return make(ask_for_bundle(world, report="hipaa_164_312_b"), chain.gateway)


@pytest.mark.services
def test_a_report_reads_with_sources_reasons_numbers_and_proof(officer, world, done):
    text = page(officer, f"/reports/{done.pk}/")
    numbers = done.document["numbers"]

    assert f"<strong>{numbers['from_records']} of {numbers['asked']} answers come from records</strong>" in text
    assert "from records.jsonl" in text
    assert "No record can say this." in text
    assert 'title="' + done.digest in text
    assert f"consilium-verify --trust trust.json consilium-{done.pk}.zip" in text
    assert "co-signed by 2 members" in text
    assert "1 newer record waits" in text
    assert "noscript" not in text


@pytest.mark.services
def test_it_can_be_narrowed_to_what_a_person_adds(officer, done):
    text = page(officer, f"/reports/{done.pk}/?show=person")
    assert "Risk analysis" in text
    assert "Acts by action" not in text


@pytest.mark.services
def test_the_files_are_the_very_ones_of_the_bundle(officer, done):
    with zipfile.ZipFile(bundle_path(done.pk)) as archive:
        for form, kind in (
            ("pdf", "application/pdf"),
            ("json", "application/json"),
            ("html", "text/html; charset=utf-8"),
        ):
            answer = officer.get(f"/reports/{done.pk}/report.{form}")
            assert (answer.status_code, answer.headers["Content-Type"]) == (200, kind)
            assert answer.content == archive.read(f"report.{form}")
            assert answer.headers["Content-Disposition"].startswith("attachment")
    whole = officer.get(f"/bundles/{done.pk}/download/")
    assert (whole.status_code, len(whole.content)) == (200, done.size_bytes)
    assert zipfile.ZipFile(BytesIO(whole.content)).testzip() is None


@pytest.mark.services
def test_a_bundle_that_was_changed_on_disk_hands_out_no_report(officer, done):
    path = bundle_path(done.pk)
    path.write_bytes(path.read_bytes() + b"\0")

    answer = officer.get(f"/reports/{done.pk}/report.pdf", follow=True)

    assert answer.redirect_chain == [(f"/reports/{done.pk}/", 302)]
    assert "was changed since it was made" in answer.content.decode()


@pytest.mark.services
def test_a_report_that_an_earlier_release_made_still_reads(officer, world, done):
    document = {name: value for name, value in done.document.items() if name not in ("numbers", "period", "model")}
    for part in document["parts"]:
        for item in (*part["fields"], *part["tables"]):
            del item["answer"]
    with act_for(organization_id=world.hospital.pk):
        Bundle.objects.filter(pk=done.pk).update(document={**document, "format": "consilium-report/1"})

    assert "Audit controls" in page(officer, f"/reports/{done.pk}/")


@pytest.mark.services
def test_the_trust_file_is_a_file(officer, world, anchored_log, chain, monkeypatch):
    monkeypatch.setattr("audit.bundles.trust.evidence_from_settings", lambda: chain.gateway)

    answer = officer.get(f"/bundles/trust/{world.consortium.pk}/")

    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert json.loads(answer.content)["format"] == "consilium-trust/1"


@pytest.mark.parametrize("address", ["/bundles/{}/download/", "/reports/{}/report.pdf"])
def test_an_unfinished_bundle_leads_to_its_page_with_the_reason(officer, world, address):
    bundle = ask_for_bundle(world)

    answer = officer.get(address.format(bundle.pk), follow=True)

    assert answer.redirect_chain == [(f"/reports/{bundle.pk}/", 302)]
    assert "not ready" in answer.content.decode()


def test_the_former_page_leads_to_the_reports(officer):
    answer = officer.get("/bundles/")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/reports/")


# -- walls


def test_a_scientist_is_told_why_and_makes_no_report(login, world):
    bundle = ask_for_bundle(world)
    client = login("scientist@hospital")

    for address in ("/reports/", "/reports/?framework=gdpr_art_7", f"/reports/{bundle.pk}/"):
        text = page(client, address, 403)
        assert "Not for your role" in text
        assert "compliance officers" in text
    assert client.get(f"/reports/{bundle.pk}/report.json").status_code == 403
    refused = client.post("/reports/", {"consortium": str(world.consortium.pk), "report": "gdpr_art_7"})
    assert refused.status_code == 403
    with act_for(organization_id=world.hospital.pk):
        assert Bundle.objects.count() == 1
        assert AuditRecord.objects.get(action="audit.bundle.export").outcome == "refused"


def test_outsiders_and_other_members_get_404(login, world, model):
    bundle = ask_for_bundle(world)
    for who in ("admin@outsider", "admin@bank"):
        client = login(who)
        for place in ("", "progress/", "report.pdf", "report.json", "report.html"):
            assert client.get(f"/reports/{bundle.pk}/{place}").status_code == 404
        assert client.get(f"/bundles/{bundle.pk}/download/").status_code == 404
        assert str(bundle.pk) not in page(client)
    outsider = login("admin@outsider")
    assert outsider.get(f"/bundles/trust/{world.consortium.pk}/").status_code == 404
    for consortium in (str(world.consortium.pk), "no id"):
        assert outsider.post("/reports/", {"consortium": consortium, "report": "gdpr_art_7"}).status_code == 404
    mine = {"consortium": str(world.other_consortium.pk), "report": "ai_act_annex_iv", "model": str(model.pk)}
    assert outsider.post("/reports/", mine).status_code == 404


def test_nobody_comes_in_without_logging_in(client, world):
    bundle = ask_for_bundle(world)
    for address in ("/reports/", f"/reports/{bundle.pk}/", f"/reports/{bundle.pk}/report.pdf"):
        assert client.get(address).headers["Location"].startswith("/accounts/login/")
    assert client.get(f"/reports/{bundle.pk}/progress/").headers["HX-Refresh"] == "true"


def test_the_list_asks_the_database_equally_often_however_long_it_is(officer, world):
    counted = []
    for more in (1, 11):
        for _ in range(more):
            ask_for_bundle(world)
        page(officer)
        with CaptureQueriesContext(connection) as queries:
            page(officer)
        counted.append(len(queries))

    assert counted[0] == counted[1]


def test_a_day_before_the_founding_is_no_mistake(officer, world):
    early = (datetime.now(UTC).date() - timedelta(days=4000)).isoformat()
    form = {"consortium": str(world.consortium.pk), "report": "gdpr_art_7", "from": early}
    assert officer.post("/reports/", form).status_code == 302
