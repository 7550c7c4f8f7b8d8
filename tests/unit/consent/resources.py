"""A valid Consent full of what must not leave the site, and small changes to it."""

import copy
import json
from typing import Any

KEY = bytes(range(32))
HOSPITAL = "6f1c9a52-3d43-4a3c-9d43-0d3f6f3a1b11"
SECRETS = ("Ingrid", "Sanchez", "1957-04-12", "9912-345", "+34", "Calle", "4711", "nurse", "ward-7", "Dr. Weiss")


def consent(**changes: Any) -> dict[str, Any]:
    """Return a fresh resource; a change to None removes the element."""
    resource = {**copy.deepcopy(_CONSENT), **changes}
    return {name: value for name, value in resource.items() if value is not None}


def provision(**changes: Any) -> dict[str, Any]:
    inner = {**copy.deepcopy(_CONSENT["provision"]), **changes}
    return consent(provision={name: value for name, value in inner.items() if value is not None})


def line(resource: Any) -> bytes:
    return json.dumps(resource).encode() + b"\n"


def duo(number: str) -> dict[str, str]:
    return {"system": "http://purl.obolibrary.org/obo/duo.owl", "code": f"DUO_{number}"}


def mondo(number: str) -> dict[str, str]:
    return {"system": "http://purl.obolibrary.org/obo/mondo.owl", "code": f"MONDO:{number}"}


def hl7(code: str) -> dict[str, str]:
    return {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": code}


_CONSENT: dict[str, Any] = {
    "resourceType": "Consent",
    "id": "consent-9912-345",
    "meta": {"source": "urn:ward-7", "tag": [{"system": "urn:demo:tags", "code": "test", "display": "by Dr. Weiss"}]},
    "text": {"status": "additional", "div": '<div xmlns="http://www.w3.org/1999/xhtml">Ingrid Sanchez</div>'},
    "contained": [{"resourceType": "Patient", "id": "p", "birthDate": "1957-04-12", "name": [{"family": "Sanchez"}]}],
    "extension": [{"url": "urn:demo:phone", "valueString": "+34 600 000 000"}],
    "identifier": [{"system": "urn:demo:mrn", "value": "9912-345"}],
    "status": "active",
    "scope": {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "research"}],
        "text": "as told to the nurse",
    },
    "category": [{"coding": [{"system": "http://loinc.org", "code": "57016-8", "display": "for Ingrid"}]}],
    "patient": {"reference": "Patient/4711", "display": "Ingrid Sanchez"},
    "dateTime": "2026-01-10T08:30:00+01:00",
    "performer": [{"reference": "RelatedPerson/8", "display": "Calle Mayor"}],
    "sourceAttachment": {"contentType": "text/plain", "title": "signed by Ingrid", "data": "SW5ncmlk"},
    "policy": [{"authority": "https://hospital.example/ethics", "uri": "https://hospital.example/consent/v3"}],
    "policyRule": {
        "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "OPTIN"}],
        "text": "as told to the nurse",
    },
    "verification": [{"verified": True, "verifiedWith": {"display": "Ingrid"}, "verificationDate": "2026-01-10"}],
    "provision": {
        "id": "ward-7",
        "type": "permit",
        "period": {"start": "2026-01-01", "end": "2030-12-31"},
        "actor": [
            {
                "role": {
                    "coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "IRCP"}]
                },
                "reference": {"reference": f"Organization/{HOSPITAL}", "display": "where Dr. Weiss works"},
            }
        ],
        "action": [
            {
                "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": "use"}],
                "text": "nurse",
            }
        ],
        "purpose": [
            {**duo("0000006"), "display": "for Ingrid"},
            duo("0000046"),
        ],
        "class": [{"system": "http://hl7.org/fhir/resource-types", "code": "Procedure"}],
        "provision": [{"type": "deny", "purpose": [hl7("HMARKT")]}],
    },
}
