import pytest

from consent.domain.provisions import Effect
from consent.domain.purposes import duo_terms
from consent.fhir.codes import PurposeTerms, purpose_terms
from consent.fhir.errors import ConsentElementError
from tests.unit.consent.resources import duo, hl7, mondo


@pytest.mark.parametrize(
    ("codings", "effect", "purposes", "conditions"),
    [
        ([duo("0000042")], Effect.PERMIT, {"DUO:0000042"}, set()),
        ([duo("0000006"), duo("0000018")], Effect.PERMIT, {"DUO:0000006"}, {"DUO:0000018"}),
        ([duo("0000007"), mondo("0005267")], Effect.PERMIT, {"DUO:0000007[MONDO:0005267]"}, set()),
        (
            [duo("0000007"), mondo("0005267"), mondo("0004992")],
            Effect.DENY,
            {"DUO:0000007[MONDO:0005267]", "DUO:0000007[MONDO:0004992]"},
            set(),
        ),
        ([duo("0000007")], Effect.DENY, {"DUO:0000007"}, set()),
        ([hl7("HRESCH")], Effect.PERMIT, {"DUO:0000006"}, set()),
        ([hl7("HRESCH")], Effect.DENY, {"DUO:0000006", "DUO:0000011"}, set()),
        ([hl7("POARCH")], Effect.PERMIT, {"DUO:0000011"}, set()),
        ([hl7("DSRCH")], Effect.DENY, {"DUO:0000007"}, set()),
        ([hl7("CLINTRCH")], Effect.PERMIT, {"HL7:CLINTRCH"}, set()),
        ([hl7("HMARKT")], Effect.DENY, {"HL7:HMARKT"}, set()),
        ([hl7("MLTRAINING")], Effect.DENY, {"DUO:0000004"}, set()),
    ],
)
def test_codings_become_purposes_and_conditions(
    codings: list[dict[str, str]], effect: Effect, purposes: set[str], conditions: set[str]
) -> None:
    assert purpose_terms(codings, effect, "p") == PurposeTerms(frozenset(purposes), frozenset(conditions))


@pytest.mark.parametrize(
    "system",
    [
        "http://purl.obolibrary.org/obo/",
        "http://purl.obolibrary.org/obo/duo.owl",
        "http://purl.obolibrary.org/obo/DUO",
        "http://purl.obolibrary.org/obo/DUO_",
        "http://purl.obolibrary.org/obo/DUO_0000006",
    ],
)
@pytest.mark.parametrize("code", ["DUO_0000006", "DUO:0000006"])
def test_duo_is_known_under_each_of_its_addresses(system: str, code: str) -> None:
    terms = purpose_terms([{"system": system, "code": code}], Effect.PERMIT, "p")

    assert terms.purposes == {"DUO:0000006"}


@pytest.mark.parametrize(
    "coding",
    [
        {"code": "DUO_0000006"},
        {"system": "http://purl.obolibrary.org/obo/mondo.owl", "code": "DUO_0000006"},
        {"system": "http://purl.obolibrary.org/obo/DUO_0000042", "code": "DUO_0000006"},
        {"system": "http://purl.obolibrary.org/obo/duo.owl", "code": "0000006"},
        {"system": "http://purl.obolibrary.org/obo/duo.owl", "code": "HMB"},
        {"system": "http://purl.obolibrary.org/obo/duo.owl", "code": "DUO_9999999"},
        hl7("DSRCH"),
        hl7("MLTRAINING"),
        hl7("PurposeOfUse"),
        {},
    ],
)
def test_coding_that_is_not_understood_permits_nothing(coding: dict[str, str]) -> None:
    with pytest.raises(ConsentElementError):
        purpose_terms([coding], Effect.PERMIT, "p")


@pytest.mark.parametrize("effect", Effect)
def test_unknown_coding_beside_a_known_one_is_not_passed_over(effect: Effect) -> None:
    with pytest.raises(ConsentElementError, match=r"p\[1\]"):
        purpose_terms([duo("0000006"), {"system": "urn:x", "code": "y"}], effect, "p")


REFUSED = ("DUO:0000001", "DUO:0000007", "DUO:0000017")


@pytest.mark.parametrize("code", sorted(duo_terms().keys() - set(REFUSED)))
def test_every_other_term_of_the_table_is_a_purpose_or_a_condition(code: str) -> None:
    terms = purpose_terms([duo("0000006"), duo(code.removeprefix("DUO:"))], Effect.PERMIT, "p")

    assert {"DUO:0000006", code} == terms.purposes | terms.conditions


@pytest.mark.parametrize("code", REFUSED)
def test_headings_and_disease_research_without_disease_permit_nothing(code: str) -> None:
    with pytest.raises(ConsentElementError, match=r"\Ap: "):
        purpose_terms([duo("0000006"), duo(code.removeprefix("DUO:"))], Effect.PERMIT, "p")
