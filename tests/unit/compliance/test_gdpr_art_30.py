"""Records of processing activities: purposes, categories, recipients and measures come from plans and data sets."""

from dataclasses import replace

from audit.compliance import gdpr_art_30
from audit.compliance.documents import Answer
from audit.compliance.training_facts import TrainingFacts
from tests.unit.compliance.cases import BANK, CONSENTS, HOSPITAL, MEMBERS, PLAN, TRAINING, evidence


def parts(made):
    return {part.name[-1]: part for part in (build(made) for build in gdpr_art_30.PARTS)}


def fields(part):
    return {field.name: field for field in part.fields}


def rows(part, name):
    return next(table for table in part.tables if table.name == name).rows


def test_each_letter_of_the_article_is_a_part():
    assert list(parts(evidence())) == ["a", "b", "c", "d", "e", "f", "g"]


def test_only_active_members_decide_together():
    assert fields(parts(evidence())["a"])["other_members"].value == "Bank"

    suspended = (replace(MEMBERS[0], status="suspended"), MEMBERS[1])
    missing = fields(parts(evidence(members=suspended))["a"])["other_members"]
    assert (missing.value, missing.reason) == (None, "There is no other member.")


def test_purposes_and_columns_stand_in_words_and_numbers_of_people_are_bands():
    made = parts(evidence(consents=CONSENTS))

    assert rows(made["b"], "purposes")[0][:4] == (
        "Long stays",
        "health or medical or biomedical research (DUO:0000006)",
        "non-commercial use only (DUO:0000046)",
        "treatment (HL7:TREAT)",
    )
    assert rows(made["c"], "columns") == (
        ("stays", "100 to 249", "age", "numeric", "a"),
        ("stays", "100 to 249", "days", "numeric", "d"),
    )
    assert fields(made["c"])["subjects_number"].value == "50 to 99"


def test_another_members_data_sets_and_plans_without_the_organization_are_left_out():
    foreign = TrainingFacts(
        [replace(PLAN, sites=(BANK,), recipients=(BANK,))],
        TRAINING.runs,
        [replace(TRAINING.data_sets[0], organization=BANK)],
    )
    made = parts(evidence(training=foreign))

    assert rows(made["b"], "purposes") == rows(made["c"], "columns") == rows(made["d"], "recipients") == ()


def test_a_country_that_is_not_on_record_is_said_to_be_unknown():
    assert rows(parts(evidence())["e"], "transfers") == (
        ("Bank", "not on record", "not known: a country is not on record"),
    )
    both = (replace(MEMBERS[0], country="FR"), MEMBERS[1])
    assert rows(parts(evidence(members=both))["e"], "transfers") == (("Bank", "FR", "another country"),)


def test_measures_are_those_in_force_with_their_numbers():
    made = parts(evidence(consents=CONSENTS))["g"]

    assert fields(made)["row_security"].value == 41
    assert fields(made)["witnesses"].value == 2
    assert str(fields(made)["differential_privacy"].value).startswith("None:")
    assert rows(made, "secure_aggregation") == (("Long stays", 2, 4, 1, 50, 3, 2),)


def test_what_only_a_person_knows_is_left_to_a_person():
    made = parts(evidence(exporter=HOSPITAL))
    for letter, name in (
        ("a", "representative"),
        ("a", "data_protection_officer"),
        ("b", "legal_basis"),
        ("e", "safeguards"),
    ):
        assert fields(made[letter])[name].answer == Answer.PERSON
    assert fields(made["f"])["record_limits"].answer == Answer.NOTHING
