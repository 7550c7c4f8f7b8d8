"""Data sets: columns, a band and DUO terms, signed by the site; never a row, never an exact count."""

import json

import pytest

from consent.models import DataSet
from consortium.common.tenancy import act_for
from consortium.kernel.errors import InvalidInputError
from tests.integration.consent.sites import post, signed_again

DESCRIPTION = {
    "name": "azpro",
    "schema": {
        "columns": [
            {"name": "procedure", "kind": "categorical", "categories": [0, 1]},
            {"name": "sex", "kind": "binary"},
            {"name": "los", "kind": "numeric", "unit": "d"},
        ]
    },
    "purposes": ["DUO:0000006"],
    "conditions": ["DUO:0000046"],
    "rows": "azpro.csv",
}


@pytest.fixture
def registered(office, world, tmp_path):
    (tmp_path / "azpro.csv").write_text("record,procedure,sex,los\n" + "7,1,0,9\n" * 59)
    (tmp_path / "azpro.json").write_text(json.dumps(DESCRIPTION))
    document = office.data_sets.register(tmp_path / "azpro.json", consortium=world.consortium.pk)
    (message,) = office.mail.waiting()
    return document, message


def test_a_data_set_is_registered_by_band_and_read_in_the_consortium(registered, site, banker, world):
    document, message = registered

    assert post(site, message).status_code == 201

    (shown,) = banker.get("/api/v1/data-sets").json()
    assert (shown["name"], shown["band"], shown["band_label"]) == ("azpro", 50, "50 to 99")
    assert shown["schema_digest"] == document.schema_digest
    assert shown["purposes"] == ["DUO:0000006"]
    assert "59" not in json.dumps({key: shown[key] for key in ("name", "schema", "band", "purposes")})
    with act_for(organization_id=world.outsider.pk):
        assert DataSet.objects.count() == 0


def test_a_later_registration_of_the_name_replaces_the_earlier(registered, site, office, banker):
    _document, message = registered
    post(site, message)
    post(site, message)
    later = signed_again(office, message, band=100, signed_at=message.body["signed_at"] + 1)

    assert post(site, later).status_code == 201

    (shown,) = banker.get("/api/v1/data-sets").json()
    assert shown["band"] == 100


@pytest.mark.parametrize(
    "changes",
    [
        {"band": 59},
        {"rows": [[1, 2]]},
        {"purposes": []},
        {"purposes": ["DUO:0000007"]},
        {"conditions": ["DUO:0000006"]},
        {"schema": {"columns": [{"name": "a", "kind": "free text"}]}},
        {"schema": {"columns": [{"name": "a", "kind": "binary"}] * 2}},
        {"name": "a b"},
    ],
)
def test_a_count_a_row_or_an_unknown_term_is_refused(registered, site, office, world, changes):
    _document, message = registered

    assert post(site, signed_again(office, message, **changes)).status_code == 400

    with act_for(organization_id=world.hospital.pk):
        assert DataSet.objects.count() == 0


def test_a_data_set_that_another_member_signed_is_refused(registered, bank_site, site, world):
    _document, message = registered

    assert post(bank_site, message).status_code == 400
    assert post(site, message, band=100).json()["code"] == "invalid_signature"

    with act_for(organization_id=world.hospital.pk):
        assert DataSet.objects.count() == 0


def test_a_table_without_a_described_column_is_refused_at_the_site(office, world, tmp_path):
    (tmp_path / "azpro.csv").write_text("record,procedure,sex\n7,1,0\n")
    (tmp_path / "azpro.json").write_text(json.dumps(DESCRIPTION))

    with pytest.raises(InvalidInputError, match="lacks columns"):
        office.data_sets.register(tmp_path / "azpro.json", consortium=world.consortium.pk)

    assert office.mail.waiting() == []


def test_a_table_that_does_not_keep_to_its_description_is_not_registered(office, world, tmp_path):
    (tmp_path / "azpro.csv").write_text("record,procedure,sex,los\n7,1,0,9\n8,1,2,9\n")
    (tmp_path / "azpro.json").write_text(json.dumps(DESCRIPTION))

    with pytest.raises(InvalidInputError, match="line 3, column sex: is neither 0 nor 1"):
        office.data_sets.register(tmp_path / "azpro.json", consortium=world.consortium.pk)

    assert office.mail.waiting() == []


def test_bounds_of_a_column_and_its_rules_are_registered(office, world, tmp_path):
    columns = [{"name": "age", "kind": "numeric", "minimum": 0, "maximum": 120, "missing": "mean"}]
    (tmp_path / "ages.csv").write_text("record,age\n7,50\n8,\n")
    (tmp_path / "ages.json").write_text(json.dumps({**DESCRIPTION, "schema": {"columns": columns}, "rows": "ages.csv"}))

    document = office.data_sets.register(tmp_path / "ages.json", consortium=world.consortium.pk)

    assert document.schema == {"columns": columns}
