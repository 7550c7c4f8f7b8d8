"""What of a Consent may leave the site: one list of elements, by which resources are stripped and checked.

The list says what stays; everything else goes: narrative, contained resources, identifiers, display names, free
text, extensions, references to people, attachments. `strip` keeps what the list names, and
`find_personal_data` reports what it does not, so that a stripped resource has no findings by construction.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from consent.domain.provisions import MAX_DEPTH
from consent.fhir.dates import is_fhir_date
from consent.fhir.errors import ElementProblem
from consent.fhir.mapping import STATES, consent_id, subject_of
from consent.fhir.pseudonyms import is_pseudonym, pseudonym
from consent.fhir.uris import is_plain_uri

# A check of a value, the elements of an object, or in a list of one the shape of each item.
Shape = Callable[[Any], bool] | dict[str, Any] | list[Any]

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,63}\Z")
_ORGANIZATION = re.compile(r"Organization/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
_MAX_ITEMS = 256


class Finding(NamedTuple):
    """An element that may not leave the site, and why; never its value."""

    path: str
    reason: str


def strip(resource: Mapping[str, Any], *, key: bytes) -> dict[str, Any]:
    """Return what of a valid Consent may leave the site, under keyed pseudonyms of its patient and its id.

    Raises
    ------
    ConsentElementError
        If the resource has no id, or no subject that `subject_of` can name.
    """
    # A slash is in no FHIR id, so no patient has the pseudonym of a consent.
    renamed = {
        **resource,
        "id": pseudonym(key, f"Consent/{consent_id(resource)}"),
        "patient": {"reference": f"Patient/{pseudonym(key, subject_of(resource))}"},
    }
    kept, _ = _projected(renamed, _CONSENT, "Consent")
    return dict(kept)


def find_personal_data(resource: Mapping[str, Any]) -> list[Finding]:
    """Return every element that a stripped Consent does not have; empty if the resource may be stored."""
    return _projected(resource, _CONSENT, "Consent")[1]


def as_problems(findings: list[Finding]) -> tuple[ElementProblem, ...]:
    """Return findings as problems of a line."""
    return tuple(ElementProblem(path, reason) for path, reason in findings)


_NOTHING = object()


def _projected(value: Any, shape: Shape, path: str, depth: int = 0) -> tuple[Any, list[Finding]]:
    """Return the part of the value that has the shape, and what is left out; an emptied value is `_NOTHING`."""
    if callable(shape):
        return (value, []) if shape(value) else (_NOTHING, [Finding(path, "has a value that is not allowed here")])
    if depth > 3 * MAX_DEPTH:
        return _NOTHING, [Finding(path, "is nested too deep")]
    if isinstance(shape, list):
        return _projected_list(value, shape[0], path, depth)
    return _projected_object(value, shape, path, depth)


def _projected_list(value: Any, shape: Shape, path: str, depth: int) -> tuple[Any, list[Finding]]:
    if not isinstance(value, list) or len(value) > _MAX_ITEMS:
        return _NOTHING, [Finding(path, "is not a short list")]
    results = [_projected(item, shape, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
    kept = [item for item, _ in results if item is not _NOTHING]
    return kept or _NOTHING, [finding for _, findings in results for finding in findings]


def _projected_object(value: Any, shape: dict[str, Any], path: str, depth: int) -> tuple[Any, list[Finding]]:
    if not isinstance(value, Mapping):
        return _NOTHING, [Finding(path, "is not an object")]
    kept, findings = {}, []
    for name, item in value.items():
        inner = _name(path, name)
        if name not in shape:
            findings.append(Finding(inner, _REASONS.get(name, "is not an element of a stripped consent")))
            continue
        part, found = _projected(item, shape[name], inner, depth + 1)
        findings += found
        if part is not _NOTHING:
            kept[name] = part
    return kept or _NOTHING, findings


def _name(path: str, name: Any) -> str:
    known = isinstance(name, str) and name.isascii() and name.replace("_", "").isalnum() and len(name) <= 40
    return f"{path}.{name}" if known else f"{path}.?"


_REASONS = {
    "text": "is narrative or free text",
    "contained": "holds contained resources",
    "identifier": "is an identifier",
    "display": "is a display name",
    "extension": "is an extension",
    "performer": "refers to a person",
    "verification": "refers to a person",
    "sourceAttachment": "is an attachment",
    "sourceReference": "refers to a document",
}


def _is_code(value: Any) -> bool:
    return isinstance(value, str) and bool(_CODE.match(value))


def _is_patient(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("Patient/") and is_pseudonym(value.removeprefix("Patient/"))


def _is_organization(value: Any) -> bool:
    return isinstance(value, str) and bool(_ORGANIZATION.match(value))


_CODING: dict[str, Any] = {"system": is_plain_uri, "version": _is_code, "code": _is_code}
_CONCEPT: dict[str, Any] = {"coding": [_CODING]}
_PROVISION: dict[str, Any] = {
    "type": lambda value: value in ("permit", "deny"),
    "period": {"start": is_fhir_date, "end": is_fhir_date},
    "purpose": [_CODING],
    "class": [_CODING],
    "code": [_CONCEPT],
    "action": [_CONCEPT],
    "actor": [{"role": _CONCEPT, "reference": {"reference": _is_organization}}],
}
_PROVISION["provision"] = [_PROVISION]
_CONSENT: dict[str, Any] = {
    "resourceType": lambda value: value == "Consent",
    "id": is_pseudonym,
    "meta": {"tag": [_CODING], "security": [_CODING]},
    "status": lambda value: isinstance(value, str) and value in STATES,
    "scope": _CONCEPT,
    "category": [_CONCEPT],
    "patient": {"reference": _is_patient},
    "dateTime": is_fhir_date,
    "policy": [{"authority": is_plain_uri, "uri": is_plain_uri}],
    "policyRule": _CONCEPT,
    "provision": _PROVISION,
}
