"""A bundle is made once, is the same whoever makes it, verifies elsewhere, and is never made of a damaged log."""

import json
import zipfile
from datetime import timedelta
from io import BytesIO

import pytest
from django.db import connection
from django.utils import timezone

from audit.bundles import building
from audit.bundles.storage import bundle_path
from audit.bundles.sweeping import abandoned_bundles
from audit.compliance.registry import UnknownReportError
from audit.models import AuditRecord, Bundle, PersonalField
from consortium.common.tenancy import act_for
from contracts.reading.evidence import EvidenceGateway
from tests.integration.audit.conftest import superuser
from tests.integration.bundles.conftest import ask_for_bundle, make
from tests.integration.bundles.verifying import verify

pytestmark = pytest.mark.services
NOWHERE = EvidenceGateway(["http://127.0.0.1:9"], chain_id=417_001, timeout_seconds=0.2)


def entries(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def exports(world) -> list[AuditRecord]:
    with act_for(organization_id=world.hospital.pk):
        return list(AuditRecord.objects.filter(action="audit.bundle.export"))


def test_a_stranger_verifies_a_real_bundle(real_bundle, tmp_path):
    answer = verify(real_bundle.bundle, real_bundle.trust, tmp_path)

    assert answer.refusals == []
    assert (answer.status, answer.verdict) == (0, "verified")
    assert any(text.startswith("2 anchors carry the log's own sizes and roots") for text in answer.checked)
    assert any("not sealed by validators: development chain" in text for text in answer.unchecked)


def test_without_a_trust_file_its_origin_is_not_established(real_bundle, tmp_path):
    answer = verify(real_bundle.bundle, None, tmp_path)

    assert (answer.status, answer.verdict, answer.refusals) == (3, "origin_not_established", [])


def test_it_holds_every_record_up_to_its_checkpoint_in_the_logs_own_bytes(world, anchored_log, chain):
    bundle = make(ask_for_bundle(world), chain.gateway)
    files = entries(bundle_path(bundle.pk).read_bytes())
    with act_for(organization_id=world.hospital.pk):
        last = bundle.checkpoint
        assert last is not None
        stored = AuditRecord.objects.filter(leaf__index__lt=last.size).order_by("leaf__index")
        canonical = [bytes(record.canonical) for record in stored]

    assert files["records.jsonl"] == b"".join(line + b"\n" for line in canonical)
    assert len(canonical) == last.size > 3
    anchors = json.loads(files["chain/anchors.json"])["anchors"]
    assert [len(anchor["witnesses"]) for anchor in anchors] == [2, 2]
    assert sorted(name for name in files if name.startswith("checkpoints/")) == sorted(
        f"checkpoints/{size}.note" for size in (anchors[0]["size"], anchors[1]["size"], last.size)
    )


def test_the_report_stands_in_it_in_three_forms(world, anchored_log, chain):
    bundle = make(ask_for_bundle(world), chain.gateway)
    files = entries(bundle_path(bundle.pk).read_bytes())

    report = json.loads(files["report.json"])
    fields = {field["name"]: field["value"] for part in report["parts"] for field in part["fields"]}
    assert [part["name"] for part in report["parts"]] == ["hipaa_164_312_b", "gdpr_art_7"]
    assert (fields["witnesses_needed"], fields["reviewers_compliance"], fields["reviewers_admin"]) == (2, 1, 1)
    assert fields["acts"] == fields["log_size"] == report["log"]["size"]
    assert fields["unanchored_records"] == fields["log_size"] - fields["anchored_records"] == 1
    assert files["report.pdf"].startswith(b"%PDF-1.7")
    page = files["report.html"].decode()
    assert "<script" not in page
    assert "src=" not in page
    assert report["log"]["root"] in page


def test_nobody_is_named_and_no_commitment_is_opened_in_it(world, anchored_log, chain):
    make(ask_for_bundle(world), chain.gateway)
    again = make(ask_for_bundle(world), chain.gateway)
    content = bundle_path(again.pk).read_bytes()
    with act_for(organization_id=world.hospital.pk):
        hidden = [field.value for field in PersonalField.objects.all()]

    assert hidden
    for value in ("compliance@", "admin@", *hidden):
        assert value.encode() not in content


def test_the_export_is_recorded_with_its_digest(world, anchored_log, chain):
    bundle = make(ask_for_bundle(world), chain.gateway)

    (recorded,) = exports(world)
    days = {"since": f"{bundle.period_from}T00:00:00Z", "until": f"{bundle.period_until}T00:00:00Z"}
    assert recorded.body == {
        "digest": bundle.digest,
        "size": bundle.size_bytes,
        "report": "audit_controls",
        **days,
    }
    assert (recorded.subject_id, recorded.outcome) == (str(bundle.pk), "succeeded")
    assert recorded.correlation_id == bundle.correlation_id
    assert recorded.actor.startswith("sha256:")


def test_who_takes_over_from_a_killed_worker_makes_the_same_bytes(world, anchored_log, chain, act, keep, monkeypatch):
    bundle = ask_for_bundle(world)
    with monkeypatch.context() as killed:
        killed.setattr(building, "_finish", kill)
        with pytest.raises(KeyboardInterrupt):
            make(bundle, chain.gateway)
    first = bundle_path(bundle.pk).read_bytes()
    bundle_path(bundle.pk).unlink()
    act(9)
    keep()
    assert make(bundle, chain.gateway).state == "building"
    with act_for(organization_id=world.hospital.pk):
        Bundle.objects.filter(pk=bundle.pk).update(tried_at=timezone.now() - timedelta(seconds=61))

    done = make(bundle, chain.gateway)

    assert (done.state, done.attempts) == ("ready", 2)
    assert bundle_path(bundle.pk).read_bytes() == first
    assert len(exports(world)) == 1


def test_a_finished_bundle_is_not_made_again(world, anchored_log, chain):
    bundle = make(ask_for_bundle(world), chain.gateway)
    written = bundle_path(bundle.pk).stat().st_mtime_ns

    assert make(bundle, NOWHERE) == bundle
    assert bundle_path(bundle.pk).stat().st_mtime_ns == written
    assert len(exports(world)) == 1


def test_a_silent_node_lets_it_wait_and_in_the_end_fail(world, anchored_log):
    bundle = ask_for_bundle(world)

    states = [(row.state, row.error_code) for row in (make(bundle, NOWHERE) for _ in range(building.MAX_ATTEMPTS))]

    assert states == [("requested", "chain_unavailable")] * 4 + [("failed", "chain_unavailable")]
    assert not bundle_path(bundle.pk).exists()
    assert exports(world) == []


def test_before_the_first_checkpoint_it_waits(world, act, contract):
    act(1)

    row = make(ask_for_bundle(world), NOWHERE)

    assert (row.state, row.error_code, row.checkpoint_id) == ("requested", "nothing_to_export", None)


def kill(*_: object) -> None:
    raise KeyboardInterrupt


def tampered(become, statement: str, *parameters: str) -> None:
    with superuser(become), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        assert cursor.rowcount == 1


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "UPDATE audit_auditrecord SET canonical = canonical || ' '::bytea"
            " WHERE id = (SELECT record_id FROM audit_auditleaf ORDER BY index LIMIT 1)",
            "do not lead to the root",
        ),
        ("DELETE FROM audit_auditleaf WHERE index = 2", "lacks leaves"),
        (
            "DELETE FROM audit_cosignature WHERE id = (SELECT id FROM audit_cosignature LIMIT 1)",
            "signatures of the witnesses",
        ),
        (
            "UPDATE contracts_chaineventrecord SET arguments = jsonb_set(arguments, '{root,bytes}', %s::jsonb)"
            " WHERE id = (SELECT id FROM contracts_chaineventrecord WHERE name = 'CheckpointAnchored' LIMIT 1)",
            "another root",
        ),
    ],
    ids=["record", "leaf", "co-signature", "anchored root"],
)
def test_a_log_that_contradicts_itself_is_never_exported(world, anchored_log, chain, become, statement, words):
    root = (json.dumps("0x" + "ab" * 32),) if "%s" in statement else ()
    tampered(become, statement, *root)

    row = make(ask_for_bundle(world), chain.gateway)

    assert (row.state, row.error_code) == ("failed", "evidence_contradicts")
    assert words in row.error_text
    assert not bundle_path(row.pk).exists()
    assert exports(world) == []


def test_a_full_disk_is_told_and_nothing_half_done_stays(world, anchored_log, chain, settings):
    settings.PLATFORM_FOLDER.mkdir()
    (settings.PLATFORM_FOLDER / "bundles").write_text("a file where a folder should be")

    row = make(ask_for_bundle(world), chain.gateway)

    assert (row.state, row.error_code) == ("failed", "bundle_storage")
    assert "ask again" in row.error_text
    assert exports(world) == []


def test_a_report_that_nobody_makes_is_refused(world):
    with pytest.raises(UnknownReportError, match="gdpr_art_7, hipaa_164_312_b"):
        ask_for_bundle(world, report="sr_11_7")
    with act_for(organization_id=world.hospital.pk):
        assert not Bundle.objects.exists()


def test_the_sweep_hands_out_what_nobody_works_on(world, anchored_log, chain, as_system):
    fresh, lost, died, done = (ask_for_bundle(world) for _ in range(4))
    make(done, chain.gateway)
    old = timezone.now() - timedelta(seconds=61)
    with act_for(organization_id=world.hospital.pk):
        Bundle.objects.filter(pk=lost.pk).update(created_at=old)
        Bundle.objects.filter(pk=died.pk).update(state="building", tried_at=old)
    with as_system():
        found = {(bundle.id, bundle.organization_id) for bundle in abandoned_bundles()}

    assert found == {(lost.pk, world.hospital.pk), (died.pk, world.hospital.pk)}
    assert fresh.pk not in {bundle for bundle, _ in found}
