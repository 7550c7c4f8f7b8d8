"""An accounting of disclosures: masked updates are uses, nothing becomes a disclosure, exemptions are labelled."""

from audit.compliance import hipaa_164_528
from audit.compliance.documents import Answer
from audit.compliance.hipaa_164_528.platform import UNDECIDED
from audit.compliance.hipaa_164_528.uses import USE
from tests.unit.compliance.cases import BANK, BATCHES, HOSPITAL, PLAN, PREDICTIONS, act, closed, evidence, opened


def parts(made):
    return {part.name.removeprefix("hipaa_164_528_"): part for part in (build(made) for build in hipaa_164_528.PARTS)}


def table(part, name):
    return next(found for found in part.tables if found.name == name)


def test_repeated_updates_of_a_run_are_one_row_with_first_last_and_count_and_listed_as_use():
    made = evidence(opened(1), closed(1), opened(2, bands=(100, 100)), closed(2), act(3))

    (row,) = table(parts(made)["uses"], "uses").rows

    assert row == (
        "Long stays",
        "Bank",
        "2026-11-23T12:00:01.000001Z",
        "2026-11-23T12:00:02.000001Z",
        2,
        "50 to 99 / 100 to 249",
        PLAN.purpose,
        USE,
    )


def test_no_masked_update_ever_stands_among_the_disclosures():
    made = parts(evidence(opened(1), closed(1), batches=BATCHES, predictions=PREDICTIONS))

    found = table(made["disclosures"], "disclosures")
    assert found.rows == ()
    assert found.reason.startswith("None on record.")
    judged = next(field for field in made["uses"].fields if field.name == "update_is_disclosure")
    assert (judged.answer, judged.value) == (Answer.PERSON, None)


def test_a_round_that_closed_without_the_organization_is_no_use_of_its_data():
    made = evidence(opened(1), closed(1, survivors=[BANK]))

    found = table(parts(made)["uses"], "uses")
    assert (found.rows, found.reason) == ((), "No round of the period holds an update of this organization.")
    assert len(table(parts(evidence(opened(1), closed(1), exporter=BANK))["uses"], "uses").rows) == 1


def test_the_summary_form_is_for_research_with_fifty_or_more_people_in_each_round():
    large = table(parts(evidence(opened(1), closed(1)))["uses"], "summary")
    small = table(parts(evidence(opened(1), closed(1), opened(2, bands=(25, 100)), closed(2)))["uses"], "summary")
    unknown = table(parts(evidence(closed(1)))["uses"], "summary")

    assert [row[0] for row in large.rows] == ["Long stays"]
    assert "consent permitted this purpose" in large.rows[0][1]
    assert small.rows == unknown.rows == ()
    assert small.reason.startswith("No research of the period is on record with 50 or more people")


def test_predictions_carry_the_exemption_that_follows_from_the_plans_serving_purpose():
    research = [PREDICTIONS[0].__class__(**{**_fields(PREDICTIONS[0]), "purpose_code": "DUO:0000006"})]

    exempt = table(parts(evidence(predictions=PREDICTIONS))["platform"], "predictions").rows[0]
    other = table(parts(evidence(predictions=research))["platform"], "predictions").rows[0]

    assert exempt[-1] == "Exempt: treatment (164.528(a)(1)(i))"
    assert other[-1] == "No exemption follows from the record"
    assert exempt[2:4] == (3, "10 to 24")


def test_consents_given_to_the_platform_are_listed_and_left_to_a_person():
    (row,) = table(parts(evidence(batches=BATCHES))["platform"], "batches").rows
    assert row[2:] == ("50 to 99", "Stripped consents under pseudonyms", UNDECIDED)


def test_an_address_that_is_not_on_record_says_so():
    fields = {field.name: field for field in parts(evidence())["uses"].fields}
    assert fields["addresses"].reason.startswith("Not on record")
    assert parts(evidence(exporter=HOSPITAL))["disclosures"].fields[0].value == "Hospital"


def _fields(row):
    return {name: getattr(row, name) for name in row.__slots__}
