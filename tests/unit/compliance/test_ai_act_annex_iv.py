"""A model's dossier: each point of the annex, figures overall alone, people's votes, and what stays with people."""

from dataclasses import replace

import pytest

from audit.compliance import ai_act_annex_iv
from audit.compliance.ai_act_annex_iv.common import ModelMissingError
from audit.compliance.documents import Answer
from tests.unit.compliance.cases import BANK, DIGEST, HOSPITAL, MODEL, MODEL_ID, PREDICTIONS, RUN, act, evidence


def parts(made):
    return {part.title[0]: part for part in (build(made) for build in ai_act_annex_iv.PARTS)}


def fields(part):
    return {field.name: field for field in part.fields}


def rows(part, name):
    return next(table for table in part.tables if table.name == name).rows


def test_the_nine_points_are_there_and_name_the_annex():
    made = parts(evidence())
    assert list(made) == list("123456789")
    assert all("Annex IV, point" in part.regulation for part in made.values())


def test_version_developers_and_code_are_those_that_were_voted_on():
    found = fields(parts(evidence())["1"])

    assert (found["version"].value, found["developers"].value) == (MODEL.digest, "Bank, Hospital")
    assert (found["code"].value, found["runner"].value) == (DIGEST.format(2), DIGEST.format(3))
    assert found["intended_purpose"].answer == Answer.PERSON


def test_data_compute_and_sites_come_from_rounds_in_bands():
    refused = act(4, action="training.site.refuse", subject={"kind": "run", "id": RUN}, data={"organization": BANK})
    made = parts(evidence(refused))["2"]

    assert (fields(made)["rounds"].value, fields(made)["seconds"].value) == (2, 4)
    assert rows(made, "sites") == (("Bank", 2, "7", "100 to 249", 1), ("Hospital", 2, "5 to 6", "50 to 99", 0))
    assert rows(made, "data_sets")[0][:4] == ("Hospital", "stays", "100 to 249", "age (numeric), days (numeric)")
    for name in ("robustness", "attacks"):
        assert fields(made)[name].reason.startswith("None on record")


def test_figures_are_overall_with_their_bound_and_withheld_by_site_and_group():
    found = fields(parts(evidence())["3"])

    assert found["auc"].value == "0.8800, exact within 0.0004"
    for name in ("by_site", "by_group"):
        assert (found[name].value, found[name].reason[:9]) == (None, "Withheld:")
    assert found["final_figures"].answer == Answer.NOTHING


def test_approvals_name_organization_role_choice_time_and_block_and_no_person():
    made = parts(evidence())["6"]

    assert rows(made, "decisions")[0][:5] == (
        "Release of the model",
        "Hospital",
        "executed",
        "1 yes, 1 no, 0 abstained",
        2,
    )
    assert rows(made, "ballots") == (
        ("Release of the model", "Bank", "voter", "yes", "2026-11-23T12:02:30.000000Z", 1390),
        ("Release of the model", "Hospital", "voter", "no", "2026-11-23T12:02:31.000000Z", 1391),
    )
    assert fields(made)["voters"].answer == Answer.NOTHING


def test_the_change_log_holds_what_is_about_the_model_alone():
    def change(action, subject, **data):
        return act(5, action=action, subject={"kind": "model", "id": subject}, data=data)

    registered = change("model.candidate.register", MODEL_ID, block=1350)
    other = change("model.candidate.register", "another", digest=DIGEST.format(99))
    decided = change("model.release.decide", MODEL_ID, outcome="approved", block=1400)
    approved = change("training.plan.decide", "plan", digest=MODEL.run.plan_digest, outcome="approved", block=1200)

    found = rows(parts(evidence(registered, other, decided, approved))["6"], "change_log")

    assert [row[1:] for row in found] == [
        ("Candidate registered", "-", 1350),
        ("Release decided", "approved", 1400),
        ("Plan decided", "approved", 1200),
    ]


def test_a_recalled_model_says_so():
    recalled = replace(MODEL, state="recalled", recalled_block=1500)
    made = parts(evidence(model=recalled, predictions=PREDICTIONS))
    assert fields(made["6"])["recalled_block"].value == 1500
    assert fields(made["9"])["state_now"].value == "recalled"
    assert (fields(made["9"])["predictions"].value, fields(made["9"])["predicted_rows"].value) == (3, "10 to 24")


def test_purpose_risks_and_declaration_stay_with_people():
    made = parts(evidence(exporter=HOSPITAL))
    for point, name in (("1", "intended_purpose"), ("5", "risk_argument"), ("8", "declaration"), ("7", "harmonised")):
        assert fields(made[point])[name].answer == Answer.PERSON


def test_without_a_model_there_is_no_dossier():
    with pytest.raises(ModelMissingError):
        ai_act_annex_iv.PARTS[0](evidence(model=None))
