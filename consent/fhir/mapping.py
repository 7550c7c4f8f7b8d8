"""A valid R4 Consent as a grant: what it means here, or which element of it cannot be honored.

Nothing that narrows or turns the meaning is passed over: an element that we cannot honor refuses the resource.
"""

import re
from collections.abc import Mapping
from typing import Any

from consent.domain.grants import Grant, GrantState
from consent.domain.provisions import MAX_DEPTH, Effect, Limit, Provision, require_organization
from consent.domain.rules import rules_of
from consent.fhir.codes import (
    CONSENT_ACTION,
    CONSENT_SCOPE,
    PARTICIPATION_TYPE,
    category_terms,
    codings_of,
    has_code,
    legal_basis,
    purpose_terms,
)
from consent.fhir.dates import end_of, start_of
from consent.fhir.errors import ConsentElementError
from consent.fhir.pseudonyms import MAX_SUBJECT_CHARACTERS
from consent.fhir.uris import is_plain_uri
from consortium.kernel.digests import digest_of
from consortium.kernel.errors import InvalidInputError

Element = Mapping[str, Any]

STATES = {
    "draft": GrantState.DRAFT,
    "proposed": GrantState.DRAFT,
    "active": GrantState.ACTIVE,
    # refused before it took effect: final, and permits nothing
    "rejected": GrantState.WITHDRAWN,
    "inactive": GrantState.WITHDRAWN,
    "entered-in-error": GrantState.ENTERED_IN_ERROR,
}
_SCOPES = ("research", "patient-privacy")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}\Z")
_PATIENT = re.compile(r"Patient/([A-Za-z0-9.-]{1,64})\Z")
_NOT_HONORED = ("data", "dataPeriod", "securityLabel")
_MAX_POLICIES = 5


def subject_of(resource: Element) -> str:
    """Return the data subject's identifier as the site's records know it.

    It is the id of `patient.reference` (`Patient/<id>`), else `patient.identifier` as system|value; without a
    patient the one performer that is a Patient (FHIR: who agrees). A patient of another server is refused: two
    servers may give two people one id.
    """
    patient = resource.get("patient")
    if patient is not None:
        return _person(patient, "Consent.patient")
    performers = [
        (index, performer)
        for index, performer in enumerate(resource.get("performer", ()))
        if _PATIENT.match(performer.get("reference", ""))
    ]
    if len(performers) != 1:
        raise ConsentElementError("Consent.patient", "is missing; without it nobody can tell whose consent it is")
    index, performer = performers[0]
    return _person(performer, f"Consent.performer[{index}]")


def consent_id(resource: Element) -> str:
    """Return the resource's id, under which a consent is recorded once."""
    identifier: str | None = resource.get("id")
    if identifier is None:
        raise ConsentElementError("Consent.id", "is missing; a consent is recorded under its id")
    if not _ID.match(identifier):
        raise ConsentElementError("Consent.id", "is not 1 to 64 letters, digits, hyphens and dots")
    return identifier


def grant_of(resource: Element) -> Grant:
    """Return the grant that a resource without validation problems means.

    Its `source_digest` is over the resource as given here: over a raw one it must not leave the site.

    Raises
    ------
    ConsentElementError
        Naming the first element that is missing or cannot be honored.
    """
    _require_header(resource)
    try:
        grant = Grant(
            id=consent_id(resource),
            state=STATES[resource["status"]],
            legal_basis=legal_basis(resource.get("policyRule")),
            source_digest=_source_digest(resource),
            recorded_at=start_of(_required(resource, "dateTime", "Consent"), "Consent.dateTime"),
            text_version=_text_version(resource),
            provision=_provision(_required(resource, "provision", "Consent"), "Consent.provision"),
        )
        rules_of(grant)
    except ConsentElementError:
        raise
    except InvalidInputError as error:
        raise ConsentElementError("Consent.provision", error.message) from error
    return grant


def _source_digest(resource: Element) -> str:
    try:
        return digest_of(dict(resource))
    except InvalidInputError as error:
        raise ConsentElementError("Consent", "holds a number or text without a canonical form (RFC 8785)") from error


def _require_header(resource: Element) -> None:
    scopes = [*codings_of([resource["scope"]])]
    if not all(coding.get("system") and coding.get("code") for coding in scopes) or not scopes:
        raise ConsentElementError("Consent.scope", "has no coding with system and code")
    if not has_code(scopes, CONSENT_SCOPE, _SCOPES):
        raise ConsentElementError("Consent.scope", "governs neither research nor the sharing of data (patient-privacy)")
    categories = resource["category"]
    for index, concept in enumerate(categories):
        if not any(coding.get("system") and coding.get("code") for coding in codings_of([concept])):
            raise ConsentElementError(f"Consent.category[{index}]", "has no coding with system and code")
    if not categories:
        raise ConsentElementError("Consent.category", "is missing")


def _text_version(resource: Element) -> str:
    """Return which text the subject was shown: the policies' addresses, else the policy rule's code."""
    policies = resource.get("policy", ())
    uris = sorted({policy["uri"] for policy in policies if "uri" in policy})
    if len(policies) > _MAX_POLICIES or not all(map(is_plain_uri, uris)):
        raise ConsentElementError("Consent.policy", "is more than five, or has an address with a query or a person")
    if uris:
        return " ".join(uris)
    rules = codings_of([resource.get("policyRule", {})])
    named = sorted(f"{rule['system']}|{rule['code']}" for rule in rules if rule.get("system") and rule.get("code"))
    if not named:
        raise ConsentElementError("Consent.policy", "is missing; name the text's version there or in policyRule")
    return named[0]


def _provision(element: Element, path: str, depth: int = 0) -> Provision:
    if depth >= MAX_DEPTH:
        raise ConsentElementError(path, f"is nested deeper than {MAX_DEPTH}")
    if element.get("type") is None:
        raise ConsentElementError(f"{path}.type", "is missing; write permit or deny, none is taken from policyRule")
    for name in _NOT_HONORED:
        if name in element:
            raise ConsentElementError(f"{path}.{name}", "limits the provision in a way that cannot be honored here")
    effect = Effect(element["type"])
    terms = purpose_terms(element["purpose"], effect, f"{path}.purpose") if element.get("purpose") else None
    _require_use(element, path)
    period = element.get("period", {})
    try:
        return Provision(
            effect=effect,
            purposes=terms and terms.purposes,
            conditions=terms.conditions if terms else frozenset(),
            categories=_categories(element, path),
            recipients=_recipients(element, path),
            valid_from=start_of(period["start"], f"{path}.period.start") if "start" in period else None,
            valid_until=end_of(period["end"], f"{path}.period.end") if "end" in period else None,
            exceptions=tuple(
                _provision(inner, f"{path}.provision[{index}]", depth + 1)
                for index, inner in enumerate(element.get("provision", ()))
            ),
        )
    except ConsentElementError:
        raise
    except InvalidInputError as error:
        raise ConsentElementError(path, error.message) from error


def _categories(element: Element, path: str) -> Limit:
    classes, codes = element.get("class"), element.get("code")
    if classes and codes:
        raise ConsentElementError(
            f"{path}.code", "narrows class further, which cannot be honored here; use one of them"
        )
    if classes:
        return category_terms(classes, f"{path}.class")
    return category_terms(codings_of(codes), f"{path}.code") or None if codes else None


def _recipients(element: Element, path: str) -> Limit:
    recipients = set()
    for index, actor in enumerate(element.get("actor", ())):
        where = f"{path}.actor[{index}]"
        if not has_code(codings_of([actor["role"]]), PARTICIPATION_TYPE, ("IRCP", "PRCP")):
            raise ConsentElementError(f"{where}.role", "is not a recipient of information (IRCP or PRCP)")
        kind, _, identifier = actor["reference"].get("reference", "").partition("/")
        try:
            recipients.add(require_organization(identifier if kind == "Organization" else ""))
        except InvalidInputError as error:
            raise ConsentElementError(f"{where}.reference", "is not Organization/ and a member's UUID") from error
    return frozenset(recipients) or None


def _require_use(element: Element, path: str) -> None:
    actions = element.get("action")
    if actions and not has_code(codings_of(actions), CONSENT_ACTION, ("use",)):
        raise ConsentElementError(f"{path}.action", "says nothing about use (consentaction)")


def _person(reference: Element, path: str) -> str:
    if "reference" in reference:
        match = _PATIENT.match(reference["reference"])
        if match is None:
            raise ConsentElementError(f"{path}.reference", "is not Patient/ and an id of this site")
        return match[1]
    identifier = reference.get("identifier", {})
    if not identifier.get("system") or not identifier.get("value"):
        raise ConsentElementError(path, "has neither a reference nor an identifier with system and value")
    subject = f"{identifier['system']}|{identifier['value']}"
    if len(subject) > MAX_SUBJECT_CHARACTERS:
        raise ConsentElementError(f"{path}.identifier", f"is longer than {MAX_SUBJECT_CHARACTERS} characters")
    return subject


def _required(element: Element, name: str, path: str) -> Any:
    if element.get(name) is None:
        raise ConsentElementError(f"{path}.{name}", "is missing")
    return element[name]
