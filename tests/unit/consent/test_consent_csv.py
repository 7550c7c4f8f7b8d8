"""Consents as a steward's table: what a line means, and what is wrong with one, in the steward's words."""

from datetime import UTC, datetime

import pytest

from consent.domain.provisions import RESOURCE_TYPES, Effect
from consent.fhir.consent_csv import read_consent_csv
from consent.fhir.errors import LineError
from consent.fhir.reader import ParsedConsent, pseudonymize
from consent.fhir.stripping import find_personal_data
from consortium.kernel.errors import InvalidInputError

HEADER = "record,decision,purpose,from,until,categories,text,id"
LINE = "patient-7,permit,DUO:0000006,2024-05-01,2029-04-30,Patient Encounter,broad-consent-3,c7"


def read(*lines: str, header: str = HEADER) -> list[ParsedConsent | LineError]:
    return [result for _number, result in read_consent_csv([line.encode() for line in (header, *lines)])]


def problem(line: str) -> str:
    (result,) = read(line)
    assert isinstance(result, LineError)
    return str(result)


def test_a_line_means_the_consent_that_it_says() -> None:
    (parsed,) = read(LINE)

    assert isinstance(parsed, ParsedConsent)
    assert parsed.subject == "patient-7"
    provision = parsed.grant.provision
    assert provision is not None
    assert (provision.effect, provision.purposes) == (Effect.PERMIT, frozenset({"DUO:0000006"}))
    assert provision.categories == frozenset({f"{RESOURCE_TYPES}|Patient", f"{RESOURCE_TYPES}|Encounter"})
    assert provision.valid_from == datetime(2024, 5, 1, tzinfo=UTC)
    assert provision.valid_until == datetime(2029, 5, 1, tzinfo=UTC)
    assert parsed.grant.text_version == "urn:consilium:consent-text:broad-consent-3"


def test_the_fewest_columns_permit_all_categories_without_end() -> None:
    (parsed,) = read("7,deny,DUO:0000042,2024-05-01", header="record,decision,purpose,from")

    assert isinstance(parsed, ParsedConsent)
    provision = parsed.grant.provision
    assert provision is not None
    assert (provision.effect, provision.categories, provision.valid_until) == (Effect.DENY, None, None)


def test_modifiers_and_diseases_stand_beside_the_purpose() -> None:
    (parsed,) = read(LINE.replace("DUO:0000006", "DUO:0000007 MONDO:0005015 DUO:0000046"))

    assert isinstance(parsed, ParsedConsent)
    provision = parsed.grant.provision
    assert provision is not None
    assert provision.conditions == {"DUO:0000046"}
    assert provision.purposes is not None
    assert "MONDO:0005015" in next(iter(provision.purposes))


def test_what_leaves_the_site_is_a_stripped_consent() -> None:
    (parsed,) = read(LINE)
    assert isinstance(parsed, ParsedConsent)

    stripped = pseudonymize(parsed, key=bytes(32))

    assert find_personal_data(stripped.resource) == []
    assert "patient-7" not in str(stripped.resource)
    assert stripped.grant.provision == parsed.grant.provision


def test_the_same_line_has_the_same_id_and_another_has_another() -> None:
    unnamed = LINE.removesuffix("c7")

    first, second, third = read(unnamed, unnamed, unnamed.replace("2024", "2023"))

    assert isinstance(first, ParsedConsent)
    assert isinstance(third, ParsedConsent)
    assert str(second) == "line 3: id: is the id of line 2 too"
    assert first.grant.id != third.grant.id


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("patient-7", "", "record: is not 1 to 64"),
        ("patient-7", "Jane Doe", "record: is not 1 to 64"),
        ("permit", "yes", "decision: is neither permit nor deny"),
        ("DUO:0000006", "research", "purpose: is not DUO codes"),
        ("DUO:0000006", "DUO:9999999", "purpose: holds a DUO term"),
        ("DUO:0000006", "DUO:0000007", "purpose: permits disease specific research without"),
        ("DUO:0000006", "DUO:0000046", "purpose: holds modifiers alone"),
        ("2024-05-01", "", "from: is missing"),
        ("2024-05-01", "01.05.2024", "from: "),
        ("2029-04-30", "2029-02-31", "until: "),
        ("2029-04-30", "2020-01-01", "line: A provision ends before"),
        ("Patient Encounter", "Patient|x y", "categories: "),
        ("broad-consent-3", "see folder 3", "text: is not 1 to 64"),
        (",c7", ",c 7", "id: "),
        (",c7", "", "line: has another number of fields"),
        (LINE, '"patient-7,permit', "line: is no line of a CSV"),
    ],
)
def test_a_bad_line_is_named_by_column_in_the_stewards_words(old: str, new: str, said: str) -> None:
    text = problem(LINE.replace(old, new))

    assert text.startswith(f"line 2: {said}")
    assert "Jane" not in text


def test_a_bad_line_spoils_no_good_one() -> None:
    results = list(read_consent_csv([HEADER.encode(), b"\xff\xfe", b"", LINE.encode(), b"x" * 300_000]))

    assert [(number, isinstance(result, ParsedConsent)) for number, result in results] == [
        (2, False),
        (4, True),
        (5, False),
    ]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("record,decision,purpose", "has the columns record, decision, purpose, from"),
        (HEADER + ",restriction", "not known: restriction"),
        (HEADER + ",record", "each once"),
        ("record;decision;purpose;from", "not known: record;decision"),
        ('"record', "no header"),
    ],
)
def test_a_header_that_may_say_more_than_is_understood_refuses_the_file(header: str, words: str) -> None:
    with pytest.raises(InvalidInputError, match=words):
        read(LINE, header=header)


def test_a_spreadsheets_byte_order_mark_is_passed_over() -> None:
    (parsed,) = read(LINE, header="\ufeff" + HEADER)

    assert isinstance(parsed, ParsedConsent)
