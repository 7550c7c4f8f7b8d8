"""Each field of a report comes from records, or is empty and says why."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.compliance import gdpr_art_7, hipaa_164_312_b
from audit.compliance.documents import NEEDS_A_PERSON, Part, tabled
from audit.compliance.evidence import AUDITOR, OF_EACH_MEMBER, Evidence
from audit.compliance.registry import DEFAULT, REPORTS, UnknownReportError, make_report
from audit.compliance.training_facts import TrainingFacts
from consortium.kernel.canonical import canonical_json, parse_canonical
from tests.unit.compliance.cases import (
    ANCHOR,
    BANK,
    BATCHES,
    CONSENTS,
    HOSPITAL,
    MODEL,
    PREDICTIONS,
    ROOT,
    TRAINED,
    act,
    anchored,
    closed,
    evidence,
    export,
    opened,
)


def values(part: Part) -> dict[str, Any]:
    return {field.name: field.value for field in part.fields}


def reasons(part: Part) -> dict[str, str]:
    return {field.name: field.reason for field in part.fields if field.value is None}


def rows(part: Part, name: str) -> list[tuple[Any, ...]]:
    return next(list(table.rows) for table in part.tables if table.name == name)


def test_audit_controls_count_what_the_log_recorded():
    refused = export(3, outcome="refused", error="forbidden", organization=BANK)
    part = hipaa_164_312_b.part(evidence(act(1), act(2), refused, export(4), anchors=[ANCHOR], reviewers={"admin": 2}))

    found = values(part)
    assert (found["acts"], found["succeeded"], found["refused"]) == (4, 3, 1)
    assert (found["first_act"], found["last_act"]) == ("2026-11-23T12:00:01.000001Z", "2026-11-23T12:00:04.000001Z")
    assert (found["acts_of_people"], found["acts_of_agents"], found["acts_of_system"]) == (2, 0, 2)
    assert (found["log_size"], found["anchored_records"], found["unanchored_records"]) == (4, 2, 2)
    assert (found["witnesses_needed"], found["log_root"], found["reviewers_admin"]) == (2, ROOT, 2)
    assert found["integrity"] == "All 4 records lead to the roots of all 2 checkpoints in this bundle"


def test_an_auditors_acts_are_not_the_platforms_and_what_is_each_members_own_says_so():
    by_auditor = {"kind": "person", "organization": None, "commitment": "sha256:" + "ab" * 32}
    found = evidence(act(1), {**export(2), "actor": by_auditor}, exporter="", predictions=[])
    audit, consents = hipaa_164_312_b.part(found), gdpr_art_7.part(found)

    assert rows(audit, "acts_by_organization") == [("platform", 1), (AUDITOR, 1)]
    assert rows(audit, "reviews")[0][1] == AUDITOR
    assert reasons(audit)["reviewers_admin"] == reasons(consents)["grants_active"] == OF_EACH_MEMBER
    assert make_report("audit_controls", found)["exported_by"] == {"id": None, "name": AUDITOR}


def test_audit_controls_list_acts_refusals_reviews_and_anchors():
    refused = export(3, outcome="refused", error="forbidden", organization=BANK)
    part = hipaa_164_312_b.part(evidence(act(1), refused, export(4), anchors=[ANCHOR]))

    assert rows(part, "acts_by_action") == [("audit.bundle.export", 1, 1), ("training.lease.take", 1, 0)]
    assert rows(part, "acts_by_organization") == [("Bank", 1), ("Hospital", 1), ("platform", 1)]
    assert rows(part, "refused_attempts") == [
        ("2026-11-23T12:00:03.000001Z", "audit.bundle.export", "forbidden", "Bank")
    ]
    assert rows(part, "anchors") == [(2, 9, "2026-11-23T12:00:01Z", "Bank, Hospital")]
    digest = "sha256:" + "ef" * 32
    assert [row[1:] for row in rows(part, "reviews")] == [
        ("Bank", "refused", digest),
        ("Hospital", "succeeded", digest),
    ]


def test_what_is_not_recorded_is_empty_and_says_why():
    part = hipaa_164_312_b.part(evidence())

    missing = reasons(part)
    assert missing["acts"] == missing["first_act"] == "The log holds no record of this period."
    assert missing["network_addresses"] == "Not recorded: a record holds no address."
    assert missing["log_ins"].startswith("Lies in each organization's own log")
    assert missing["anchored_records"] == "No checkpoint was anchored yet."
    assert missing["risk_analysis"] == missing["associates"] == NEEDS_A_PERSON
    assert missing["reviewers_compliance"] == "No person of the exporting organization has this role."
    assert [table.reason for table in part.tables if not table.rows] == [
        "The log holds no record of this period.",
        "The log holds no record of this period.",
        "No attempt was refused in this period.",
        "No checkpoint was anchored yet.",
        "No bundle of this log was exported in this period.",
    ]


def test_gdpr_art_7_shows_consents_in_bands_and_the_time_to_effect():
    part = gdpr_art_7.part(
        evidence(anchored(BANK), anchored(BANK), anchored(BANK, "consent.revocation.anchor"), consents=CONSENTS)
    )

    found = values(part)
    assert (found["batches"], found["grants_active"], found["grants_withdrawn"]) == (2, "50 to 99", "fewer than 10")
    assert (found["withdrawals_confirmed"], found["revocations_anchored"]) == ("fewer than 10", 1)
    assert (found["median_seconds_to_effect"], found["longest_seconds_to_effect"]) == (3, 4)
    assert rows(part, "epochs") == [("Bank", 1, 1, "100 to 249", "2026-11-23T12:00:00Z", ROOT)]
    assert rows(part, "anchorings") == [("Bank", 2, 1)]


def test_gdpr_art_7_without_consents_says_that_there_are_none():
    part = gdpr_art_7.part(evidence(act(1)))

    missing = reasons(part)
    assert missing["grants_active"] == missing["batches"] == missing["withdrawals_recorded"] == gdpr_art_7.NOTHING
    assert gdpr_art_7.NOTHING.startswith("No consents recorded")
    assert missing["median_seconds_to_effect"] == "No withdrawal has taken effect yet."
    assert missing["free_choice"] == NEEDS_A_PERSON
    assert rows(part, "epochs") == []


def cases() -> list[Evidence]:
    bare = replace(MODEL, run=replace(TRAINED, plan=None, rounds=()), votes=(), limits=(), released_block=None)
    full = {"anchors": [ANCHOR], "consents": CONSENTS, "predictions": PREDICTIONS, "batches": BATCHES}
    return [
        evidence(training=TrainingFacts(), members=(), model=bare, protection=None),
        evidence(act(1), export(2), opened(1), closed(1), reviewers={"admin": 1, "compliance": 1}, **full),
    ]


@pytest.mark.parametrize("name", sorted(REPORTS))
@pytest.mark.parametrize("made_from", cases(), ids=["empty", "full"])
def test_every_field_has_a_value_with_its_source_or_a_reason(name, made_from):
    report = make_report(name, made_from)

    for part in report["parts"]:
        names = [field["name"] for field in part["fields"]] + [table["name"] for table in part["tables"]]
        assert len(names) == len(set(names))
        for field in part["fields"]:
            assert (field["value"] is None) == (field["source"] is None) == (field["reason"] is not None), field
            assert (field["answer"] in ("records", "construction")) == (field["value"] is not None), field
        for table in part["tables"]:
            assert table["rows"] or table["reason"], table
            assert all(len(row) == len(table["columns"]) for row in table["rows"])
            assert (table["answer"] == "records") == bool(table["rows"]) == bool(table["source"]), table
    numbers = report["numbers"]
    assert numbers["asked"] == sum(len(part["fields"]) + len(part["tables"]) for part in report["parts"])
    assert numbers["asked"] == sum(count for name, count in numbers.items() if name != "asked")


@pytest.mark.parametrize("name", sorted(REPORTS))
def test_equal_evidence_makes_equal_canonical_bytes(name):
    first, second = (canonical_json(make_report(name, evidence(act(1), consents=CONSENTS))) for _ in range(2))

    assert first == second
    assert parse_canonical(first)["name"] == name


def test_the_default_report_holds_both_regulations():
    report = make_report(DEFAULT, evidence())
    assert [part["regulation"] for part in report["parts"]] == [hipaa_164_312_b.REGULATION, gdpr_art_7.REGULATION]
    assert report["exported_by"] == {"id": HOSPITAL, "name": "Hospital"}


def test_a_report_that_nobody_makes_is_refused():
    with pytest.raises(UnknownReportError, match="gdpr_art_7, hipaa_164_312_b"):
        make_report("dora", evidence())


@settings(max_examples=50)
@given(st.lists(st.tuples(st.sampled_from(["succeeded", "refused"]), st.sampled_from([None, HOSPITAL, BANK]))))
def test_the_sums_of_every_table_are_the_number_of_records(drawn):
    records = [
        act(1, outcome=outcome, actor={"kind": "agent", "organization": who, "id": "0x1"}) for outcome, who in drawn
    ]
    part = hipaa_164_312_b.part(evidence(*records))

    found = values(part)
    assert sum(row[1] + row[2] for row in rows(part, "acts_by_action")) == len(records)
    assert sum(row[1] for row in rows(part, "acts_by_organization")) == len(records)
    assert found["succeeded"] + found["refused"] == found["acts_of_agents"] == len(records)


def test_a_long_table_shows_its_end_and_says_so():
    table = tabled("t", "T", ("Number",), [(number,) for number in range(5)], "records.jsonl", otherwise="none", most=2)

    assert table.rows == ((3,), (4,))
    assert table.reason == "The last 2 of 5; all are in records.jsonl."
