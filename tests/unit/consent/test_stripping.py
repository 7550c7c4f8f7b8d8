import copy
import json
from typing import Any

import pytest
from fhir.resources.R4B.consent import Consent
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.fhir.errors import ConsentElementError
from consent.fhir.pseudonyms import is_pseudonym, pseudonym
from consent.fhir.reader import parse_consent, pseudonymize
from consent.fhir.stripping import as_problems, find_personal_data, strip
from consortium.kernel.digests import digest_of
from consortium.kernel.errors import InvalidInputError
from tests.unit.consent.resources import HOSPITAL, KEY, SECRETS, consent

SCALARS = (
    st.none() | st.booleans() | st.integers(-5, 5) | st.sampled_from(["permit", "Ingrid", "2026", "urn:x:y", "a b"])
)
NAMES = st.sampled_from(
    [
        "id",
        "text",
        "display",
        "coding",
        "system",
        "code",
        "reference",
        "provision",
        "period",
        "start",
        "actor",
        "role",
        "purpose",
        "identifier",
        "extension",
        "contained",
        "Ingrid",
        "_birthDate",
        "meta",
        "tag",
        "policy",
        "uri",
    ]
)
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4))
PATHS = st.lists(st.integers(0, 1000), min_size=1, max_size=6)


def grafted(resource: dict[str, Any], path: list[int], name: str, value: Any) -> dict[str, Any]:
    """Return the resource with a value put somewhere into it."""
    result = node = copy.deepcopy(resource)
    for step in path:
        children = [child for child in node.values() if isinstance(child, dict)]
        children += [
            item for child in node.values() if isinstance(child, list) for item in child if isinstance(item, dict)
        ]
        if not children:
            break
        node = children[step % len(children)]
    node[name] = value
    return result


def test_stripped_consent_holds_nothing_of_the_person_and_means_the_same() -> None:
    parsed = parse_consent(consent())

    stripped = pseudonymize(parsed, key=KEY)

    text = json.dumps(stripped.resource)
    assert not [secret for secret in SECRETS if secret in text]
    assert find_personal_data(stripped.resource) == []
    assert stripped.subject == pseudonym(KEY, "4711")
    assert stripped.grant.id == pseudonym(KEY, "Consent/consent-9912-345")
    assert stripped.grant.source_digest == digest_of(dict(stripped.resource)) != parsed.grant.source_digest
    assert stripped.grant.provision == parsed.grant.provision
    assert stripped.grant.recorded_at == parsed.grant.recorded_at
    assert stripped.grant.text_version == parsed.grant.text_version
    assert Consent.model_validate(stripped.resource).id == stripped.grant.id


def test_stripped_consent_is_exactly_this() -> None:
    resource = consent()
    original = copy.deepcopy(resource)

    stripped = strip(resource, key=KEY)

    assert resource == original
    elements = "category dateTime id meta patient policy policyRule provision resourceType scope status"
    assert sorted(stripped) == elements.split()
    assert stripped["meta"] == {"tag": [{"system": "urn:demo:tags", "code": "test"}]}
    assert stripped["patient"] == {"reference": f"Patient/{pseudonym(KEY, '4711')}"}
    assert sorted(stripped["provision"]) == ["action", "actor", "class", "period", "provision", "purpose", "type"]
    assert stripped["provision"]["actor"][0]["reference"] == {"reference": f"Organization/{HOSPITAL}"}


def test_findings_name_path_and_reason_of_each_element() -> None:
    findings = {finding.path: finding.reason for finding in find_personal_data(consent())}

    assert findings == {
        "Consent.id": "has a value that is not allowed here",
        "Consent.meta.source": "is not an element of a stripped consent",
        "Consent.meta.tag[0].display": "is a display name",
        "Consent.text": "is narrative or free text",
        "Consent.contained": "holds contained resources",
        "Consent.extension": "is an extension",
        "Consent.identifier": "is an identifier",
        "Consent.scope.text": "is narrative or free text",
        "Consent.category[0].coding[0].display": "is a display name",
        "Consent.patient.reference": "has a value that is not allowed here",
        "Consent.patient.display": "is a display name",
        "Consent.performer": "refers to a person",
        "Consent.sourceAttachment": "is an attachment",
        "Consent.policyRule.text": "is narrative or free text",
        "Consent.verification": "refers to a person",
        "Consent.provision.id": "is not an element of a stripped consent",
        "Consent.provision.actor[0].reference.display": "is a display name",
        "Consent.provision.action[0].text": "is narrative or free text",
        "Consent.provision.purpose[0].display": "is a display name",
    }


@pytest.mark.parametrize(
    "change",
    [
        {"patient": {"reference": "Patient/4711"}},
        {"patient": {"reference": "Patient/" + "a" * 63}},
        {"patient": {"reference": "Patient/" + "A" * 64}},
        {"patient": {"reference": "Patient/" + "a" * 64, "identifier": {"value": "1"}}},
        {"id": "consent-1"},
        {"status": "Ingrid"},
        {"dateTime": "1957-04-12 Ingrid"},
        {"policy": [{"uri": "https://x.example/c#ingrid"}]},
        {"policy": [{"uri": "https://ingrid@x.example/c"}]},
        {"policy": [{"uri": "https://x.example/Patient/1"}]},
        {"meta": {"tag": [{"system": "urn:demo:y", "code": "Ingrid Sanchez"}]}},
        {"provision": {"type": "permit", "period": {"start": "2026", "extension": [{"url": "x"}]}}},
        {"provision": {"type": "permit", "actor": [{"reference": {"reference": "Practitioner/1"}}]}},
        {"provision": {"type": "permit", "_type": {"extension": [{"url": "x", "valueString": "Ingrid"}]}}},
        {"language": "de"},
        {"Ingrid Sanchez": 1},
    ],
)
def test_single_element_put_back_is_found(change: dict[str, Any]) -> None:
    findings = find_personal_data({**strip(consent(), key=KEY), **change})

    assert len(findings) == 1
    assert "Ingrid" not in str(as_problems(findings))


@settings(max_examples=100, deadline=None)
@given(PATHS, NAMES, JSON)
def test_stripped_resource_never_has_findings(path: list[int], name: str, value: Any) -> None:
    damaged = {**grafted(consent(), path, name, value), "id": "c-1", "patient": {"reference": "Patient/1"}}

    stripped = strip(damaged, key=KEY)

    assert find_personal_data(stripped) == []
    assert not [secret for secret in SECRETS if secret in json.dumps(stripped)]


def test_bottomless_nesting_is_found_and_dropped() -> None:
    resource = strip(consent(), key=KEY)
    inner: dict[str, Any] = {"type": "deny"}
    for _ in range(500):
        inner = {"type": "deny", "provision": [inner]}
    resource["provision"] = inner

    (finding,) = find_personal_data(resource)

    assert finding.reason == "is nested too deep"


def test_resource_without_subject_or_id_cannot_be_stripped() -> None:
    for name in ("id", "patient"):
        with pytest.raises(ConsentElementError, match="is missing"):
            strip(consent(**{name: None}), key=KEY)


def test_pseudonym_is_the_documented_hmac() -> None:
    # printf 'consilium/pseudonym/1\0004711' | openssl dgst -sha256 -mac HMAC -macopt hexkey:000102...1f
    assert pseudonym(KEY, "4711") == "b44de2be250757009d0b3fae3551dd98b57874b69092c4d7d106350c07b48da0"
    assert is_pseudonym(pseudonym(KEY, "4711"))


def test_pseudonyms_differ_by_key_and_subject() -> None:
    names = {
        pseudonym(key, subject) for key in (KEY, KEY[::-1]) for subject in ("4711", "471", "4711 ", "é", "Patient/4711")
    }

    assert len(names) == 10


@pytest.mark.parametrize(("key", "subject"), [(KEY[:31], "1"), (b"", "1"), (KEY, ""), (KEY, "1" * 513)])
def test_short_key_and_empty_or_endless_subject_are_refused(key: bytes, subject: str) -> None:
    with pytest.raises(InvalidInputError):
        pseudonym(key, subject)


@pytest.mark.parametrize("value", ["", "a" * 63, "A" * 64, "a" * 64 + "\n", None, 7, b"a" * 64])
def test_what_has_not_a_pseudonyms_form_is_none(value: object) -> None:
    assert not is_pseudonym(value)
