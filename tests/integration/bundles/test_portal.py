"""The page on which evidence is exported, followed and downloaded."""

import json

import pytest

from audit.models import AuditRecord, Bundle
from consortium.common.tenancy import act_for
from tests.integration.bundles.conftest import ask_for_bundle, make


@pytest.fixture
def officer(login):
    return login("compliance@hospital")


@pytest.fixture(autouse=True)
def nothing_is_queued(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("audit.bundles.requests.current_app.send_task", lambda name, args: None)


def page(client) -> str:
    answer = client.get("/bundles/")
    assert answer.status_code == 200
    return answer.content.decode()


def test_it_offers_every_report_and_says_where_trust_comes_from(officer, world):
    text = page(officer)

    assert "Get the trust file from another member, not from here" in text
    for report in ("audit_controls", "gdpr_art_7", "hipaa_164_312_b"):
        assert f'value="{report}"' in text
    assert f"/bundles/trust/{world.consortium.pk}/" in text
    assert "No bundle yet" in text
    assert 'http-equiv="refresh"' not in text


def test_a_bundle_is_asked_for_and_the_page_follows_it(officer, world):
    answer = officer.post("/bundles/", {"consortium": str(world.consortium.pk), "report": "gdpr_art_7"})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/bundles/")
    text = page(officer)
    assert "Requested" in text
    assert "Proof of consents in numbers (GDPR, Art. 7)" in text
    assert 'http-equiv="refresh"' in text


def test_a_failure_is_told_in_words(officer, world):
    bundle = ask_for_bundle(world)
    with act_for(organization_id=world.hospital.pk):
        Bundle.objects.filter(pk=bundle.pk).update(
            state="failed", error_code="chain_unavailable", error_text="The node cannot be reached."
        )

    text = page(officer)

    assert "The node cannot be reached." in text
    assert "Failed" in text
    assert "/download/" not in text


@pytest.mark.services
def test_a_finished_bundle_is_downloaded(officer, world, anchored_log, chain):
    bundle = make(ask_for_bundle(world), chain.gateway)

    assert f"/bundles/{bundle.pk}/download/" in page(officer)
    answer = officer.get(f"/bundles/{bundle.pk}/download/")
    assert (answer.status_code, len(answer.content)) == (200, bundle.size_bytes)


@pytest.mark.services
def test_the_trust_file_is_a_file(officer, world, anchored_log, chain, monkeypatch):
    monkeypatch.setattr("audit.bundles.trust.evidence_from_settings", lambda: chain.gateway)

    answer = officer.get(f"/bundles/trust/{world.consortium.pk}/")

    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert json.loads(answer.content)["format"] == "consilium-trust/1"


def test_an_unfinished_bundle_leads_back_with_the_reason(officer, world):
    bundle = ask_for_bundle(world)

    answer = officer.get(f"/bundles/{bundle.pk}/download/", follow=True)

    assert answer.redirect_chain == [("/bundles/", 302)]
    assert "not ready" in answer.content.decode()


def test_a_scientist_sees_the_page_but_no_bundle_and_exports_none(login, world):
    ask_for_bundle(world)
    client = login("scientist@hospital")

    text = page(client)
    refused = client.post("/bundles/", {"consortium": str(world.consortium.pk), "report": "gdpr_art_7"})

    assert "Not for your role" in text
    assert "Export bundle" not in text
    assert refused.status_code == 403
    with act_for(organization_id=world.hospital.pk):
        assert Bundle.objects.count() == 1
        assert AuditRecord.objects.get(action="audit.bundle.export").outcome == "refused"


def test_outsiders_and_other_members_get_404(login, world):
    bundle = ask_for_bundle(world)
    for who in ("admin@outsider", "admin@bank"):
        assert login(who).get(f"/bundles/{bundle.pk}/download/").status_code == 404
    outsider = login("admin@outsider")
    assert outsider.get(f"/bundles/trust/{world.consortium.pk}/").status_code == 404
    assert outsider.post("/bundles/", {"consortium": str(world.consortium.pk)}).status_code == 404
    assert outsider.post("/bundles/", {"consortium": "no id"}).status_code == 404
