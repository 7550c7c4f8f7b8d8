import io
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from consent.domain.grants import Grant, GrantState, LegalBasis
from consent.domain.provisions import Effect, Provision
from consent.fhir.errors import ConsentElementError, ElementProblem, LineError
from consent.fhir.reader import MAX_LINE_BYTES, ParsedConsent, bounded_lines, parse_consent, read_consents
from consortium.kernel.digests import digest_of
from tests.unit.consent.resources import HOSPITAL, consent, duo, hl7, line, mondo, provision


def problem_of(resource: dict[str, Any]) -> ElementProblem:
    ((number, result),) = read_consents([line(resource)])
    assert number == 1
    assert isinstance(result, LineError)
    return result.problems[0]


def test_consent_becomes_a_subject_and_a_grant() -> None:
    resource = consent()

    parsed = parse_consent(resource)

    assert parsed.subject == "4711"
    assert parsed.grant == Grant(
        id="consent-9912-345",
        state=GrantState.ACTIVE,
        legal_basis=LegalBasis.CONSENT,
        source_digest=digest_of(resource),
        recorded_at=datetime(2026, 1, 10, 7, 30, tzinfo=UTC),
        text_version="https://hospital.example/consent/v3",
        provision=Provision(
            effect=Effect.PERMIT,
            purposes=frozenset({"DUO:0000006"}),
            conditions=frozenset({"DUO:0000046"}),
            categories=frozenset({"http://hl7.org/fhir/resource-types|Procedure"}),
            recipients=frozenset({HOSPITAL}),
            valid_from=datetime(2026, 1, 1, tzinfo=UTC),
            valid_until=datetime(2031, 1, 1, tzinfo=UTC),
            exceptions=(Provision(effect=Effect.DENY, purposes=frozenset({"HL7:HMARKT"})),),
        ),
    )


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("draft", GrantState.DRAFT),
        ("proposed", GrantState.DRAFT),
        ("active", GrantState.ACTIVE),
        ("rejected", GrantState.WITHDRAWN),
        ("inactive", GrantState.WITHDRAWN),
        ("entered-in-error", GrantState.ENTERED_IN_ERROR),
    ],
)
def test_status_becomes_a_state(status: str, state: GrantState) -> None:
    assert parse_consent(consent(status=status)).grant.state is state


def test_opt_out_rests_on_no_objection() -> None:
    rule = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTOUT"}]}

    parsed = parse_consent(consent(policyRule=rule, policy=None))

    assert parsed.grant.legal_basis is LegalBasis.NO_OBJECTION
    assert parsed.grant.text_version == "http://terminology.hl7.org/CodeSystem/v3-ActCode|OPTOUT"


@pytest.mark.parametrize(
    ("resource", "path", "reason"),
    [
        (consent(status="maybe"), "Consent.status", "'maybe' is not rejected, proposed"),
        (consent(status=None), "Consent.status", "is missing"),
        (consent(status=["active"]), "Consent.status", "wrong type or form"),
        (provision(type="maybe"), "Consent.provision.type", "'maybe' is not permit or deny"),
        (provision(type=None), "Consent.provision.type", "is missing"),
        (
            provision(provision=[{"type": "nein"}]),
            "Consent.provision.provision[0].type",
            "'nein' is not permit or deny",
        ),
        (provision(provision=[{"purpose": [duo("0000006")]}]), "Consent.provision.provision[0].type", "is missing"),
        (consent(scope=None), "Consent.scope", "is missing"),
        (consent(scope={"text": "research"}), "Consent.scope", "no coding"),
        (consent(scope={"coding": [{"code": "research"}]}), "Consent.scope", "no coding"),
        (
            consent(
                scope={"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "adr"}]}
            ),
            "Consent.scope",
            "governs neither",
        ),
        (consent(category=None), "Consent.category", "is missing"),
        (consent(category=[]), "Consent.category", "is missing"),
        (consent(category=[{"text": "x"}]), "Consent.category[0]", "no coding"),
        (consent(provision=None), "Consent.provision", "is missing"),
        (consent(provision=[]), "Consent.provision", "wrong type or form"),
        (consent(provision='{"type": "permit"}'), "Consent.provision", "is not an object"),
        (consent(dateTime=None), "Consent.dateTime", "is missing"),
        (consent(dateTime="yesterday"), "Consent.dateTime", "wrong type or form"),
        (consent(id=None), "Consent.id", "is missing"),
        (consent(id="a/b"), "Consent.id", "wrong type or form"),
        (consent(id="a" * 65), "Consent.id", "1 to 64"),
        (consent(resourceType="Patient"), "Consent.resourceType", "is not Consent"),
        (consent(resourceType=None), "Consent.resourceType", "is not Consent"),
        (consent(consentGiven=True), "Consent.consentGiven", "not an element"),
        (consent(**{"Ingrid Sanchez": True}), "Consent.?", "not an element"),
        (consent(fhir_comments="x"), "Consent.fhir_comments", "not an element"),
        (provision(class_fhir=[{"code": "x"}]), "Consent.provision.class", "not an element"),
        (provision(unless="x"), "Consent.provision.unless", "not an element"),
        (
            provision(purpose=[{**duo("0000006"), "resourceType": "Bogus"}]),
            "Consent.provision.purpose[0]",
            "a resource",
        ),
        (provision(purpose=[{**duo("0000006"), "display": None}]), "Consent.provision.purpose[0].display", "is null"),
        (consent(modifierExtension=[{"url": "urn:x", "valueBoolean": True}]), "Consent.modifierExtension", "meaning"),
        (consent(implicitRules="urn:x"), "Consent.implicitRules", "meaning"),
        (
            consent(identifier=[{"system": "urn:x", "value": "1", "use": "sometimes"}]),
            "Consent.identifier[0].use",
            "'sometimes' is not",
        ),
        (consent(patient=None), "Consent.patient", "is missing"),
        (consent(patient={"display": "Ingrid"}), "Consent.patient", "neither a reference nor an identifier"),
        (
            consent(patient={"reference": "https://other.example/fhir/Patient/1"}),
            "Consent.patient.reference",
            "Patient/",
        ),
        (consent(patient={"reference": "Patient/1/_history/2"}), "Consent.patient.reference", "Patient/"),
        (
            consent(patient={"identifier": {"system": "u:x", "value": "1" * 600}}),
            "Consent.patient.identifier",
            "longer",
        ),
        (consent(policy=None, policyRule=None), "Consent.policy", "is missing"),
        (consent(policy=[{"uri": "https://x.example/c?patient=4711"}]), "Consent.policy", "query"),
        (consent(policy=[{"uri": "https://x.example/Patient/4711"}]), "Consent.policy", "person"),
        (
            provision(data=[{"meaning": "instance", "reference": {"reference": "Observation/1"}}]),
            "Consent.provision.data",
            "limits",
        ),
        (provision(dataPeriod={"start": "2020"}), "Consent.provision.dataPeriod", "limits"),
        (provision(securityLabel=[{"code": "R"}]), "Consent.provision.securityLabel", "limits"),
        (provision(code=[{"coding": [{"system": "urn:x", "code": "y"}]}]), "Consent.provision.code", "narrows class"),
        (provision(purpose=None), "Consent.provision", "names no purpose"),
        (provision(purpose=[{"code": "research"}]), "Consent.provision.purpose[0]", "neither a DUO term"),
        (provision(purpose=[hl7("SMALLTALK")]), "Consent.provision.purpose[0]", "not known here"),
        (provision(purpose=[duo("0000046")]), "Consent.provision.purpose", "modifiers alone"),
        (provision(purpose=[duo("0000001")]), "Consent.provision.purpose", "neither a permission"),
        (provision(purpose=[duo("0000007")]), "Consent.provision.purpose", "without naming a disease"),
        (provision(purpose=[mondo("0005267")]), "Consent.provision.purpose", "names a disease without"),
        (provision(type="deny"), "Consent.provision.purpose", "denies with a DUO modifier"),
        (
            provision(class_=None, **{"class": [{"code": "Procedure"}]}),
            "Consent.provision.class[0]",
            "system and a code",
        ),
        (provision(action=[{"text": "look at"}]), "Consent.provision.action", "about use"),
        (provision(period={"start": "2031", "end": "2030"}), "Consent.provision", "ends before"),
        (provision(period={"start": "2026-02-30"}), "Consent.provision.period.start", ""),
    ],
)
def test_what_cannot_be_understood_is_refused_by_its_path(resource: dict[str, Any], path: str, reason: str) -> None:
    problem = problem_of(resource)

    assert problem.path == path
    assert reason in problem.reason


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda actor: actor.update(reference={"reference": "Practitioner/1"}), "Consent.provision.actor[0].reference"),
        (lambda actor: actor.update(reference={"display": "us"}), "Consent.provision.actor[0].reference"),
        (lambda actor: actor.update(role={"text": "everybody"}), "Consent.provision.actor[0].role"),
        (lambda actor: actor.pop("reference"), "Consent.provision.actor[0].reference"),
    ],
)
def test_recipient_that_is_no_member_is_refused(change: Callable[[dict[str, Any]], None], path: str) -> None:
    resource = consent()
    change(resource["provision"]["actor"][0])

    assert problem_of(resource).path == path


def test_nesting_of_provisions_is_bounded() -> None:
    inner: dict[str, Any] = {"type": "deny"}
    for _ in range(5):
        inner = {"type": "deny", "provision": [inner]}
    assert isinstance(parse_consent(consent(provision=inner)), ParsedConsent)

    with pytest.raises(ConsentElementError, match="nested deeper than 6"):
        parse_consent(consent(provision={"type": "deny", "provision": [inner]}))


def test_patient_may_be_named_by_identifier_or_as_the_performer() -> None:
    by_identifier = consent(patient={"identifier": {"system": "urn:demo:mrn", "value": "42"}})
    by_performer = consent(patient=None, performer=[{"reference": "Practitioner/3"}, {"reference": "Patient/7"}])
    by_two = consent(patient=None, performer=[{"reference": "Patient/3"}, {"reference": "Patient/7"}])

    assert parse_consent(by_identifier).subject == "urn:demo:mrn|42"
    assert parse_consent(by_performer).subject == "7"
    assert problem_of(by_two).path == "Consent.patient"


def test_bad_lines_among_good_ones_are_named_and_the_good_ones_read() -> None:
    lines = [
        line(consent(id="c-1")),
        b"\n",
        b"{not json}\n",
        line(provision(type="maybe")),
        line(consent(id="c-1", status="draft")),
        line(consent(id="c-2")),
        line(consent(id="known")),
        b"\xff\xfe\n",
        b"[]\n",
        b'{"resourceType": "Consent", "resourceType": "Consent"}\n',
        b'{"resourceType": "Consent", "x": NaN}\n',
        line(consent(id="c-3"))[:-1],
    ]

    results = list(read_consents(lines, known_ids={"known"}))

    good = [number for number, result in results if isinstance(result, ParsedConsent)]
    assert good == [1, 6, 12]
    assert [str(result) for _, result in results if isinstance(result, LineError)] == [
        "line 3: Consent: is not one JSON value in UTF-8",
        "line 4: Consent.provision.type: 'maybe' is not permit or deny",
        "line 5: Consent.id: is the id of line 1 too",
        "line 7: Consent.id: is the id of a consent that is already recorded",
        "line 8: Consent: is not one JSON value in UTF-8",
        "line 9: Consent: is not a JSON object",
        "line 10: Consent: names an element twice in one object",
        "line 11: Consent: is not one JSON value in UTF-8",
    ]


def test_refused_line_does_not_take_its_id() -> None:
    results = dict(read_consents([line(consent(status="maybe")), line(consent())]))

    assert isinstance(results[1], LineError)
    assert isinstance(results[2], ParsedConsent)


def test_several_problems_of_one_line_are_reported_together() -> None:
    resource = provision(type="maybe")
    resource["status"] = "perhaps"

    ((_, result),) = read_consents([line(resource)])

    assert isinstance(result, LineError)
    assert {problem.path for problem in result.problems} == {"Consent.status", "Consent.provision.type"}


def test_report_repeats_nothing_that_a_person_may_have_written() -> None:
    wrong = provision(type="Ingrid Sanchez, born 1957-04-12")
    wrong["patient"] = {"reference": {"Ingrid": 1}}

    ((_, result),) = read_consents([line(wrong)])

    assert "Ingrid" not in str(result)
    assert "1957" not in str(result)


def test_long_and_deep_lines_are_refused_and_never_held_whole() -> None:
    padded = line(consent(id="long", language="x" * MAX_LINE_BYTES))
    deep = b'{"resourceType": "Consent", "x": ' + b"[" * 40 + b"]" * 40 + b"}\n"
    bottomless = b"[" * 200_000 + b"\n"
    stream = io.BytesIO(padded * 3 + deep + bottomless + line(consent(id="good")))

    lines = list(bounded_lines(stream))
    results = dict(read_consents(lines))

    assert max(map(len, lines)) <= MAX_LINE_BYTES + 1
    assert [str(results[number]) for number in (1, 2, 3)] == [
        f"line {number}: Consent: is longer than {MAX_LINE_BYTES} bytes" for number in (1, 2, 3)
    ]
    assert str(results[4]) == "line 4: Consent: is nested deeper than 32"
    assert str(results[5]) == "line 5: Consent: is nested deeper than 32"
    assert isinstance(results[6], ParsedConsent)


def test_line_of_exactly_the_limit_is_read() -> None:
    short = line(consent(id="exact"))
    exact = short[:-1] + b" " * (MAX_LINE_BYTES - len(short)) + b"\n"

    ((number, result),) = read_consents(bounded_lines(io.BytesIO(exact)))

    assert len(exact) == MAX_LINE_BYTES
    assert (number, isinstance(result, ParsedConsent)) == (1, True)


def test_number_without_a_canonical_form_is_refused_by_name() -> None:
    resource = consent(extension=[{"url": "urn:x", "valueInteger": 2**31 - 1}])
    huge = json.dumps(resource).replace(str(2**31 - 1), "1" + "0" * 20)

    ((_, result),) = read_consents([huge.encode()])

    assert isinstance(result, LineError)
