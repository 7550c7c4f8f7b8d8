"""Code systems of a consent: which purposes, conditions, categories and legal bases its codings mean."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from consent.domain.grants import LegalBasis
from consent.domain.provisions import Effect, require_category
from consent.domain.purposes import (
    ANCESTRY_RESEARCH,
    ANY_PURPOSE,
    DISEASE_RESEARCH,
    HEALTH_RESEARCH,
    condition_terms,
    disease_purpose,
    require_purpose,
)
from consent.fhir.errors import ConsentElementError
from consortium.kernel.errors import InvalidInputError

OBO = "http://purl.obolibrary.org/obo/"
DUO = f"{OBO}duo.owl"
MONDO = f"{OBO}mondo.owl"
ACT_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
CONSENT_SCOPE = "http://terminology.hl7.org/CodeSystem/consentscope"
CONSENT_ACTION = "http://terminology.hl7.org/CodeSystem/consentaction"
PARTICIPATION_TYPE = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"

_OBO_CODE = re.compile(r"(DUO|MONDO)[_:](\d{7})\Z", re.ASCII)
# HL7 counts ancestry research to healthcare research, DUO does not: each effect gets the cautious reading.
# A refusal of having models trained refuses all that is done here.
_HL7_PERMITS = {"HRESCH": {HEALTH_RESEARCH}, "POARCH": {ANCESTRY_RESEARCH}}
_HL7_DENIALS = {
    "HRESCH": {HEALTH_RESEARCH, ANCESTRY_RESEARCH},
    "POARCH": {ANCESTRY_RESEARCH},
    "DSRCH": {DISEASE_RESEARCH},
    "PurposeOfUse": {ANY_PURPOSE},
    "MLTRAINING": {ANY_PURPOSE},
}
_OPT_OUT = frozenset({"OPTOUT", "OPTOUTE"})

Coding = Mapping[str, Any]


class PurposeTerms(NamedTuple):
    """What a list of purpose codings means."""

    purposes: frozenset[str]
    conditions: frozenset[str]


def purpose_terms(codings: Iterable[Coding], effect: Effect, path: str) -> PurposeTerms:
    """Return the purposes and conditions of `provision.purpose`.

    DUO's disease research takes its diseases from MONDO codings in the same list; a denial of it without any
    denies all. A coding that is not understood is refused, never passed over: it might be what matters.

    Raises
    ------
    ConsentElementError
        Naming the coding.
    """
    found: set[str] = set()
    diseases: set[str] = set()
    for index, coding in enumerate(codings):
        where = f"{path}[{index}]"
        code = _obo_code(coding)
        if code is not None and code.startswith("MONDO:"):
            diseases.add(disease_purpose(code))
        else:
            found |= {code} if code is not None else _hl7_purposes(coding, effect, where)
    if diseases and DISEASE_RESEARCH not in found:
        raise ConsentElementError(path, "names a disease without disease specific research (DUO:0000007)")
    if diseases:
        found = (found - {DISEASE_RESEARCH}) | diseases
    return _sorted_out(found, effect, path)


def category_terms(codings: Iterable[Coding], path: str) -> frozenset[str]:
    """Return the categories of data that codings name, written system|code."""
    terms = set()
    for index, coding in enumerate(codings):
        try:
            terms.add(require_category(f"{coding.get('system', '')}|{coding.get('code', '')}"))
        except InvalidInputError as error:
            raise ConsentElementError(f"{path}[{index}]", "needs a system and a code without spaces") from error
    return frozenset(terms)


def codings_of(concepts: Iterable[Mapping[str, Any]]) -> Iterator[Coding]:
    """Yield the codings of several CodeableConcepts."""
    for concept in concepts:
        yield from concept.get("coding", ())


def has_code(codings: Iterable[Coding], system: str, codes: Iterable[str]) -> bool:
    """Say whether one of the codings is one of these codes of the system."""
    wanted = frozenset(codes)
    return any(coding.get("system") == system and coding.get("code") in wanted for coding in codings)


def legal_basis(policy_rule: Mapping[str, Any] | None) -> LegalBasis:
    """Return the basis: not having objected under an opt-out policy (v3-ActCode OPTOUT), consent otherwise."""
    opted_out = policy_rule is not None and has_code(codings_of([policy_rule]), ACT_CODE, _OPT_OUT)
    return LegalBasis.NO_OBJECTION if opted_out else LegalBasis.CONSENT


def _obo_code(coding: Coding) -> str | None:
    match = _OBO_CODE.match(coding.get("code", ""))
    if match is None:
        return None
    name, number = match.groups()
    systems = {OBO, f"{OBO}{name.lower()}.owl", f"{OBO}{name}", f"{OBO}{name}_", f"{OBO}{name}_{number}"}
    return f"{name}:{number}" if coding.get("system") in systems else None


def _hl7_purposes(coding: Coding, effect: Effect, path: str) -> set[str]:
    code = coding.get("code", "")
    if coding.get("system") == ACT_REASON:
        special = _HL7_PERMITS if effect is Effect.PERMIT else _HL7_DENIALS
        if code in special:
            return set(special[code])
        try:
            return {require_purpose(f"HL7:{code}")}
        except InvalidInputError as error:
            raise ConsentElementError(path, "is a purpose of use that is not known here") from error
    raise ConsentElementError(path, "is neither a DUO term nor an HL7 purpose of use (v3-ActReason)")


def _sorted_out(found: set[str], effect: Effect, path: str) -> PurposeTerms:
    conditions = frozenset(found) & condition_terms()
    purposes = frozenset(found) - conditions
    try:
        for purpose in purposes:
            require_purpose(purpose)
    except InvalidInputError as error:
        raise ConsentElementError(path, "holds a DUO term that is neither a permission nor a modifier") from error
    if effect is Effect.PERMIT and DISEASE_RESEARCH in purposes:
        raise ConsentElementError(path, "permits disease specific research without naming a disease (MONDO)")
    if effect is Effect.DENY and conditions:
        raise ConsentElementError(path, "denies with a DUO modifier; a modifier can only limit a permit")
    if not purposes:
        raise ConsentElementError(path, "holds modifiers alone; name the purpose that they limit")
    return PurposeTerms(purposes, conditions)
