"""Each report from end to end: made from real rows, verified by a stranger, refused with one byte flipped."""

import json
import zipfile
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from django.db import transaction

from audit.acts import Actor, Subject
from audit.bundles.archive import zipped
from audit.bundles.facts import evidence_of
from audit.bundles.selection import newest_checkpoint, select
from audit.bundles.storage import bundle_path
from audit.bundles.trust import export_trust
from audit.compliance.hipaa_164_528.uses import USE
from audit.compliance.pdf import render_pdf
from audit.compliance.registry import REPORTS, make_report
from audit.models import AuditLog
from audit.recorder import record
from consortium.common.tenancy import act_for
from consortium.membership.models import Consortium, Organization, User
from tests.factories.membership import make_member
from tests.integration.bundles.conftest import ask_for_bundle, make
from tests.integration.bundles.trained import Trained, register, train
from tests.integration.bundles.verifying import verify

pytestmark = pytest.mark.services
FOUNDED = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.fixture
def made(world, as_system) -> Trained:
    """The consortium, founded some weeks ago, trained and released a model."""
    with as_system():
        Consortium.objects.filter(pk=world.consortium.pk).update(created_at=FOUNDED)
        Organization.objects.filter(pk=world.hospital.pk).update(country="DE")
        found = train(world)
    with act_for(organization_id=world.hospital.pk):
        register(world)
    return found


@pytest.fixture
def trained(made, anchored_log) -> Trained:
    """The same, with all of it under a checkpoint of the log."""
    return made


@pytest.fixture
def predicted(world, trained) -> None:
    """The hospital's people had rows scored twice."""
    with act_for(organization_id=world.hospital.pk):
        person = User.objects.get(email="compliance@hospital.example")
    for rows in (7, 8):
        with transaction.atomic(), act_for(organization_id=world.hospital.pk, person_id=person.pk):
            record(
                action="model.prediction.serve",
                organization_id=world.hospital.pk,
                consortium_id=None,
                actor=Actor.person(person.pk, world.hospital.pk),
                subject=Subject("model", str(trained.model.pk)),
                data={"digest": trained.model.digest, "rows": rows},
            )


def report_of(bundle: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(BytesIO(bundle)) as archive:
        found: dict[str, Any] = json.loads(archive.read("report.json"))
        return found


def made_of(world, chain, trained, name: str, **order: Any) -> bytes:
    about = {"model_id": trained.model.pk} if REPORTS[name].needs_model else {}
    done = make(ask_for_bundle(world, report=name, **about, **order), chain.gateway)
    assert (done.state, done.error_text) == ("ready", "")
    return bundle_path(done.pk).read_bytes()


def fields(report: dict[str, Any]) -> dict[str, Any]:
    return {field["name"]: field["value"] for part in report["parts"] for field in part["fields"]}


def rows(report: dict[str, Any], name: str) -> list[list[Any]]:
    return next(table["rows"] for part in report["parts"] for table in part["tables"] if table["name"] == name)


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_a_stranger_verifies_it_and_refuses_it_with_one_byte_flipped(world, chain, trained, name, tmp_path):
    bundle = made_of(world, chain, trained, name)
    with act_for(organization_id=world.bank.pk):
        trust = export_trust(world.consortium.pk, chain=chain.gateway)

    answer = verify(bundle, trust, tmp_path)
    assert (answer.status, answer.verdict, answer.refusals) == (0, "verified", [])

    with zipfile.ZipFile(BytesIO(bundle)) as archive:
        files = {entry: archive.read(entry) for entry in archive.namelist()}
    for entry in ("report.json", "report.pdf"):
        changed = bytearray(files[entry])
        changed[len(changed) // 2] ^= 1
        refused = verify(zipped({**files, entry: bytes(changed)}), trust, tmp_path)
        assert (refused.status, refused.verdict) == (1, "refused")
        assert any(place.startswith(entry) for place in refused.places)


def test_an_accounting_lists_the_logs_rounds_as_use_and_predictions_by_their_purpose(world, chain, trained, predicted):
    report = report_of(made_of(world, chain, trained, "hipaa_164_528"))

    assert rows(report, "disclosures") == []
    (use,) = rows(report, "uses")
    assert (use[0], use[4], use[5], use[-1]) == (trained.run.plan.title, 2, "50 to 99", USE)
    assert [row[2] for row in rows(report, "batches")] == ["50 to 99"]
    (scored,) = rows(report, "predictions")
    assert scored[2:] == [2, "10 to 24", "treatment (HL7:TREAT)", "Exempt: treatment (164.528(a)(1)(i))"]


def test_another_member_sees_its_own_side_alone(world, chain, trained, predicted, as_system):
    bundle = ask_for_bundle(world, report="hipaa_164_528")
    bundle.organization_id = world.bank.pk
    with act_for(organization_id=world.bank.pk):
        log = AuditLog.objects.get(consortium_id=world.consortium.pk)
        selection = select(log, last=newest_checkpoint(log), through_block=0)
        report = make_report("hipaa_164_528", evidence_of(bundle, selection, log_key="key"))

    assert rows(report, "predictions") == rows(report, "batches") == []
    assert rows(report, "uses")[0][5] == "100 to 249"


def test_records_of_processing_come_from_plans_data_sets_and_the_databases_own_walls(world, chain, trained):
    report = report_of(made_of(world, chain, trained, "gdpr_art_30"))

    assert (fields(report)["controller"], fields(report)["country"]) == ("Hospital", "DE")
    assert rows(report, "columns")[0] == ["stays", "100 to 249", "age", "numeric", "a"]
    assert rows(report, "transfers") == [["Bank", "not on record", "not known: a country is not on record"]]
    assert rows(report, "secure_aggregation")[0][1:5] == [2, 4, 1, 50]
    assert fields(report)["row_security"] > 40


def test_an_applicant_is_nobody_who_decides(world, chain, trained, as_system):
    with as_system():
        make_member(world.consortium, world.outsider, status="applicant")
    report = report_of(made_of(world, chain, trained, "gdpr_art_30"))

    assert fields(report)["other_members"] == "Bank"


def test_a_dossier_holds_votes_rounds_and_figures_of_its_model(world, chain, trained):
    report = report_of(made_of(world, chain, trained, "ai_act_annex_iv"))

    assert report["model"] == {
        "id": str(trained.model.pk),
        "digest": trained.model.digest,
        "title": trained.run.plan.title,
    }
    found = fields(report)
    assert (found["version"], found["rounds"], found["auc"]) == (trained.model.digest, 2, "0.7200, exact within 0.0004")
    assert rows(report, "ballots") == [
        ["Release of the model", "Bank", "voter", "yes", "2026-11-23T13:00:00.000000Z", 1401]
    ]
    assert rows(report, "sites")[0] == ["Bank", 2, "41", "50 to 99", 0]
    assert [row[0] for row in rows(report, "data_sets")] == ["Hospital"]


def test_the_same_report_is_the_same_pdf_whoever_makes_it_again(world, chain, trained):
    first = made_of(world, chain, trained, "gdpr_art_30")
    report = report_of(first)
    with zipfile.ZipFile(BytesIO(first)) as archive:
        assert render_pdf(report) == archive.read("report.pdf")
