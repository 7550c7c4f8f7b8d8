"""The log and its evidence at the API: who reads what, in which form, and what an outsider learns (nothing)."""

import uuid
from typing import Any

import pytest
from django.test import Client

from audit.bundles.exporters import EXPORTERS
from audit.bundles.storage import bundle_path
from audit.models import AuditRecord, Bundle
from consortium.common.tenancy import act_for
from contracts.reading.evidence import EvidenceGateway, evidence_from_settings
from tests.integration.bundles.conftest import ask_for_bundle, make, witnessed

COLLECTIONS = ("records", "checkpoints", "bundles", "trust")


@pytest.fixture
def consortium(world) -> str:
    return f"/api/v1/consortia/{world.consortium.pk}"


@pytest.fixture
def officer(login) -> Client:
    return login("compliance@hospital")


def post(client: Client, address: str, body: dict[str, str] | None = None, key: str = "1"):
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(address, body or {}, "application/json", headers=headers)


@pytest.fixture
def silent_node(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = EvidenceGateway(["http://127.0.0.1:9"], chain_id=417_001, timeout_seconds=0.2)
    evidence_from_settings.cache_clear()
    monkeypatch.setattr("audit.bundles.trust.evidence_from_settings", lambda: nowhere)


@pytest.fixture
def queued(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What is put into the worker's queue."""
    sent: list[Any] = []
    monkeypatch.setattr("audit.bundles.requests.current_app.send_task", lambda name, args: sent.append((name, args)))
    return sent


def test_records_are_read_newest_first_with_how_firmly_they_stand(officer, consortium, act, keep):
    first, second = act(1), act(2)
    keep()
    third = act(3)

    page = officer.get(f"{consortium}/records").json()

    assert [item["id"] for item in page["results"]] == [str(record.pk) for record in (third, second, first)]
    newest, _, oldest = page["results"]
    assert (newest["state"], newest["leaf_index"], newest["data"]) == ("recorded", None, {"fence": 3})
    assert (oldest["state"], oldest["leaf_index"], oldest["digest"]) == ("integrated", 0, first.digest)
    assert (oldest["action"], oldest["actor_kind"], oldest["actor"]) == ("training.lease.take", "system", "coordinator")


def test_pages_of_records_neither_skip_nor_double_one(officer, consortium, act):
    made = [str(act(fence).pk) for fence in range(7)]

    seen, address = [], f"{consortium}/records?page_size=3"
    while address:
        page = officer.get(address).json()
        seen += [item["id"] for item in page["results"]]
        address = page["next"]
        if len(seen) == 3:
            act(99)

    assert seen == made[::-1]


def test_records_are_found_by_action_and_by_correlation_id(officer, consortium, act):
    wanted = act(1)

    def found(query: str) -> list[str]:
        return [item["id"] for item in officer.get(f"{consortium}/records?{query}").json()["results"]]

    assert found("action=training.lease.take") == found("action=training.lease") == found("action=training")
    assert found("action=training") == [str(wanted.pk)]
    assert found("action=train") == found("action=training.lease.taken") == []
    assert found(f"correlation_id={wanted.correlation_id}") == [str(wanted.pk)]
    assert found(f"correlation_id={uuid.uuid4()}") == []


@pytest.mark.parametrize("query", ["action=Training", "action=a%20b", "action=%25", "correlation_id=1"])
def test_a_malformed_filter_is_named(officer, consortium, query):
    answer = officer.get(f"{consortium}/records?{query}")

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_input")
    assert set(answer.json()["errors"]) == {query.partition("=")[0]}


def test_checkpoints_show_witnesses_and_anchor(officer, consortium, contract, sites, act, keep):
    act(1)
    checkpoint = keep()
    for name in ("hospital", "bank"):
        witnessed(sites[name], contract)
    keep()

    (item,) = officer.get(f"{consortium}/checkpoints").json()["results"]

    assert (item["id"], item["size"], item["note"]) == (str(checkpoint.pk), 1, checkpoint.note)
    assert sorted(witness["signer"] for witness in item["witnesses"]) == sorted(
        sites[name].address for name in ("hospital", "bank")
    )
    assert item["anchor"] == {"chain_state": "recorded", "confirmed_block": None, "transaction_hash": ""}


def test_a_list_asks_the_database_equally_often_however_long_it_is(
    officer, consortium, act, keep, django_assert_max_num_queries, monkeypatch
):
    act(1)
    keep()
    for _ in range(20):
        act(2)
    with django_assert_max_num_queries(14):
        officer.get(f"{consortium}/records")
    with django_assert_max_num_queries(14):
        officer.get(f"{consortium}/checkpoints")


def test_a_bundle_is_asked_for_once_and_followed(
    officer, consortium, world, queued, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        answer = post(officer, f"{consortium}/bundles", {"report": "gdpr_art_7"})
    asked = answer.json()

    assert answer.status_code == 202
    assert (asked["state"], asked["progress"], asked["report"]) == ("requested", 0, "gdpr_art_7")
    assert queued == [("audit.tasks.make_bundle", [asked["id"], str(world.hospital.pk)])]
    assert post(officer, f"{consortium}/bundles", {"report": "gdpr_art_7"}).json() == asked
    assert officer.get(f"/api/v1/bundles/{asked['id']}").json() == asked
    assert [item["id"] for item in officer.get(f"{consortium}/bundles").json()["results"]] == [asked["id"]]
    assert post(officer, f"{consortium}/bundles", {"report": "audit_controls"}).status_code == 422


def test_without_a_key_or_with_an_unknown_report_nothing_is_asked_for(officer, consortium, world):
    assert post(officer, f"{consortium}/bundles", key="").status_code == 400
    refused = post(officer, f"{consortium}/bundles", {"report": "sr_11_7"})

    assert (refused.status_code, list(refused.json()["errors"])) == (400, ["report"])
    with act_for(organization_id=world.hospital.pk):
        assert not Bundle.objects.exists()


def test_an_unfinished_bundle_has_no_content_yet(officer, world):
    bundle = ask_for_bundle(world)
    answer = officer.get(f"/api/v1/bundles/{bundle.pk}/content")
    assert (answer.status_code, answer.json()["code"]) == (409, "bundle_not_ready")


@pytest.mark.services
def test_the_content_is_the_very_file_and_a_changed_one_is_not_handed_out(officer, world, anchored_log, chain):
    bundle = make(ask_for_bundle(world), chain.gateway)
    written = bundle_path(bundle.pk).read_bytes()

    answer = officer.get(f"/api/v1/bundles/{bundle.pk}/content")
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/zip")
    assert answer.content == written
    assert answer.headers["Content-Disposition"] == f'attachment; filename="consilium-{bundle.pk}.zip"'

    bundle_path(bundle.pk).write_bytes(written + b"\0")
    changed = officer.get(f"/api/v1/bundles/{bundle.pk}/content")
    assert (changed.status_code, changed.json()["code"]) == (507, "bundle_storage")


@pytest.mark.services
def test_the_trust_file_says_what_the_members_agree_on(
    officer, consortium, world, anchored_log, chain, sites, monkeypatch
):
    monkeypatch.setattr("audit.bundles.trust.evidence_from_settings", lambda: chain.gateway)

    answer = officer.get(f"{consortium}/trust")
    trust = answer.json()

    assert "another member" in answer.headers["Warning"]
    assert trust["witness_quorum"] == 2
    assert trust["chain"]["genesis"] == "0x" + chain.gateway.genesis().hex()
    assert {member["site"] for member in trust["organizations"].values()} == {
        sites[name].address.lower() for name in ("hospital", "bank")
    }
    assert set(trust["contracts"]) == {"ValidatorSource", "ConsortiumRegistry", "AuditAnchor"}
    assert trust["log"]["origin"] == anchored_log.origin


def test_a_silent_node_is_told_as_such(officer, consortium, act, silent_node):
    act(1)
    answer = officer.get(f"{consortium}/trust")
    assert (answer.status_code, answer.json()["code"], answer.json()["retryable"]) == (503, "chain_unavailable", True)


# -- walls


@pytest.mark.parametrize("name", COLLECTIONS)
def test_an_outsider_gets_404_everywhere(login, consortium, act, keep, name):
    act(1)
    keep()

    answer = login("admin@outsider").get(f"{consortium}/{name}")

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_an_outsider_asks_for_nothing_and_leaves_no_trace(login, consortium, world, act):
    act(1)

    assert post(login("admin@outsider"), f"{consortium}/bundles").status_code == 404

    with act_for(organization_id=world.hospital.pk):
        assert AuditRecord.objects.count() == 1
    with act_for(organization_id=world.outsider.pk):
        assert not Bundle.objects.exists()
        assert AuditRecord.objects.count() == 0


@pytest.mark.parametrize("who", ["admin@outsider", "admin@bank"])
@pytest.mark.parametrize("suffix", ["", "/content"])
def test_another_members_bundle_is_as_unknown_as_none(login, world, who, suffix):
    bundle = ask_for_bundle(world)
    client = login(who)

    theirs = client.get(f"/api/v1/bundles/{bundle.pk}{suffix}")
    none = client.get(f"/api/v1/bundles/{uuid.uuid4()}{suffix}")

    assert theirs.status_code == none.status_code == 404
    assert theirs.json()["detail"] == none.json()["detail"]


@pytest.mark.parametrize("name", COLLECTIONS)
def test_other_roles_of_a_member_get_403(login, consortium, act, name):
    act(1)
    answer = login("scientist@hospital").get(f"{consortium}/{name}")
    assert (answer.status_code, answer.json()["code"]) == (403, "forbidden")


def test_a_role_that_may_not_export_is_refused_and_recorded(login, consortium, world):
    answer = post(login("scientist@hospital"), f"{consortium}/bundles")

    assert answer.status_code == 403
    with act_for(organization_id=world.hospital.pk):
        (attempt,) = AuditRecord.objects.filter(action="audit.bundle.export")
        assert (attempt.outcome, attempt.error_code, attempt.actor_kind) == ("refused", "forbidden", "person")
        assert not Bundle.objects.exists()


def test_nobody_is_let_in_without_logging_in(consortium, world):
    for name in COLLECTIONS:
        assert Client().get(f"{consortium}/{name}").status_code in (401, 403)
    assert EXPORTERS == ("admin", "compliance")


# -- period and model


def test_the_period_is_asked_for_and_told(officer, consortium, queued):
    body = {"report": "gdpr_art_7", "from": "2026-01-01", "until": "2026-06-30"}

    answer = post(officer, f"{consortium}/bundles", body)

    asked = answer.json()
    assert answer.status_code == 202
    assert (asked["from"], asked["until"], asked["model"]) == ("2026-01-01", "2026-06-30", None)
    assert post(officer, f"{consortium}/bundles", body).json() == asked


@pytest.mark.parametrize(
    ("body", "status", "code", "words"),
    [
        ({"from": "2026-02-01", "until": "2026-01-01"}, 400, "period_invalid", "not before the beginning"),
        ({"until": "2999-01-01"}, 400, "period_invalid", "Choose today or an earlier day"),
        ({"report": "ai_act_annex_iv"}, 400, "model_choice", "Name one of the consortium's models"),
        ({"report": "ai_act_annex_iv", "model": str(uuid.uuid4())}, 404, "not_found", "nothing of this name"),
    ],
)
def test_an_order_that_cannot_be_carried_out_is_refused_and_recorded(
    officer, consortium, world, body, status, code, words
):
    answer = post(officer, f"{consortium}/bundles", body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert words in answer.json()["detail"]
    with act_for(organization_id=world.hospital.pk):
        assert not Bundle.objects.exists()
        assert AuditRecord.objects.get(action="audit.bundle.export").error_code == code


def test_days_that_are_none_are_named(officer, consortium):
    answer = post(officer, f"{consortium}/bundles", {"from": "yesterday"})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["from"])
