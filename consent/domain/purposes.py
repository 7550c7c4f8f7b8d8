"""Purposes: terms of the GA4GH Data Use Ontology (DUO) and a few of HL7's, and which of them covers which.

A purpose is a token: `DUO:0000006`, `HL7:HMARKT` (v3-ActReason), or disease research with its disease,
`DUO:0000007[MONDO:0005267]`. The tokens form one tree; a permit for a purpose covers everything below it:

    DUO:0000004 NRES, no restriction: any purpose at all
    |- DUO:0000042 GRU, general research use
    |  |- DUO:0000006 HMB, health or medical or biomedical research
    |  |  |- DUO:0000007 DS, disease specific research
    |  |  |  `- DUO:0000007[MONDO:nnnnnnn], one for each disease; diseases have no order among them here
    |  |  `- HL7:BIORCH, HL7:TRANSRCH, HL7:PRECLINTRCH, HL7:CLINTRCH and its two kinds
    |  `- DUO:0000011 POA, population origins or ancestry (DUO: not within HMB)
    |- DUO:0000043 CC, clinical care (an addition to a permission, so a purpose here although DUO calls it a modifier)
    `- HL7:TREAT, HL7:HPAYMT, HL7:HOPERAT, HL7:HMARKT, HL7:PUBHLTH

DUO's other modifiers are conditions: a permit that carries some holds only for a plan that states them all.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from consortium.kernel.digests import digest_of
from consortium.kernel.errors import InvalidInputError

ANY_PURPOSE = "DUO:0000004"
GENERAL_RESEARCH = "DUO:0000042"
HEALTH_RESEARCH = "DUO:0000006"
DISEASE_RESEARCH = "DUO:0000007"
ANCESTRY_RESEARCH = "DUO:0000011"
CLINICAL_CARE = "DUO:0000043"

NON_COMMERCIAL = "DUO:0000046"
NON_PROFIT_ORGANIZATION = "DUO:0000045"
NON_PROFIT_NON_COMMERCIAL = "DUO:0000018"
NO_ANCESTRY_RESEARCH = "DUO:0000044"

_HL7_LABELS = {
    "HL7:BIORCH": "biomedical research",
    "HL7:TRANSRCH": "translational healthcare research",
    "HL7:PRECLINTRCH": "preclinical trial research",
    "HL7:CLINTRCH": "clinical trial research",
    "HL7:CLINTRCHNPC": "clinical trial research without patient care",
    "HL7:CLINTRCHPC": "clinical trial research with patient care",
    "HL7:TREAT": "treatment",
    "HL7:HPAYMT": "healthcare payment",
    "HL7:HOPERAT": "healthcare operations",
    "HL7:HMARKT": "healthcare marketing",
    "HL7:PUBHLTH": "public health",
}
# An HL7 purpose that is not listed lies directly below "any purpose".
_PARENTS = {
    GENERAL_RESEARCH: ANY_PURPOSE,
    HEALTH_RESEARCH: GENERAL_RESEARCH,
    ANCESTRY_RESEARCH: GENERAL_RESEARCH,
    DISEASE_RESEARCH: HEALTH_RESEARCH,
    CLINICAL_CARE: ANY_PURPOSE,
    **dict.fromkeys(_HL7_LABELS, ANY_PURPOSE),
    **dict.fromkeys(("HL7:BIORCH", "HL7:TRANSRCH", "HL7:PRECLINTRCH", "HL7:CLINTRCH"), HEALTH_RESEARCH),
    **dict.fromkeys(("HL7:CLINTRCHNPC", "HL7:CLINTRCHPC"), "HL7:CLINTRCH"),
}
# "data use permission" and "data use modifier" head the two branches of DUO and say nothing themselves.
_HEADINGS = frozenset({"DUO:0000001", "DUO:0000017"})
_DISEASE = re.compile(re.escape(DISEASE_RESEARCH) + r"\[(MONDO:\d{7})\]\Z")


@dataclass(frozen=True, slots=True)
class DuoTerm:
    """A term of the ontology: its code, DUO's shorthand (empty for two headings) and its label."""

    code: str
    shorthand: str
    label: str


@cache
def duo_terms() -> Mapping[str, DuoTerm]:
    """Return the 25 terms of `consent/data/duo.csv` by code (EBISPOT/DUO, CC BY 4.0)."""
    text = (files("consent") / "data" / "duo.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return MappingProxyType({row["id"]: DuoTerm(row["id"], row["shorthand"], row["label"]) for row in rows})


@cache
def condition_terms() -> frozenset[str]:
    """Return the codes of DUO's modifiers that limit a permit."""
    return frozenset(duo_terms()) - _PARENTS.keys() - {ANY_PURPOSE} - _HEADINGS


def disease_purpose(disease: str) -> str:
    """Return the purpose of research on one disease, named by its MONDO code (`MONDO:0005267`)."""
    return require_purpose(f"{DISEASE_RESEARCH}[{disease}]")


def require_purpose(purpose: str) -> str:
    """Return the token if it is a purpose; `InvalidInputError` otherwise."""
    if purpose == ANY_PURPOSE or purpose in _PARENTS or _DISEASE.match(purpose):
        return purpose
    raise InvalidInputError("Unknown purpose. Use a DUO permission, such as DUO:0000006, or a listed HL7 purpose.")


def require_exact_purpose(purpose: str) -> str:
    """Return the token if it may be permitted or planned: disease research must name its disease."""
    if purpose == DISEASE_RESEARCH:
        raise InvalidInputError(
            "Disease specific research (DUO:0000007) needs its disease: write DUO:0000007[MONDO:nnnnnnn]."
        )
    return require_purpose(purpose)


def require_conditions(conditions: Iterable[str]) -> frozenset[str]:
    """Return the conditions as a set; `InvalidInputError` if one is not a modifier of DUO."""
    result = frozenset(conditions)
    if result - condition_terms():
        raise InvalidInputError("Unknown condition. Use codes of DUO's data use modifiers, such as DUO:0000046.")
    return result


def purpose_lineage(purpose: str) -> tuple[str, ...]:
    """Return the purposes that cover this one, from `ANY_PURPOSE` down to itself."""
    require_purpose(purpose)
    if purpose == ANY_PURPOSE:
        return (purpose,)
    parent = DISEASE_RESEARCH if _DISEASE.match(purpose) else _PARENTS[purpose]
    return (*purpose_lineage(parent), purpose)


def covers(wider: str, purpose: str) -> bool:
    """Say whether everything done for the second purpose is also done for the first."""
    return wider in purpose_lineage(purpose)


def overlaps(one: str, other: str) -> bool:
    """Say whether something may be done for both: in a tree, whether one covers the other."""
    return covers(one, other) or covers(other, one)


def purpose_label(purpose: str) -> str:
    """Return the purpose in words, as DUO or HL7 write them."""
    if match := _DISEASE.match(require_purpose(purpose)):
        return f"{duo_terms()[DISEASE_RESEARCH].label} ({match[1]})"
    return _HL7_LABELS.get(purpose) or duo_terms()[purpose].label


def implied_conditions(purpose: str, stated: Iterable[str]) -> frozenset[str]:
    """Return the conditions that a plan meets: those it states and those that follow from them or from its purpose."""
    met = require_conditions(stated)
    if NON_PROFIT_NON_COMMERCIAL in met:
        met |= {NON_COMMERCIAL, NON_PROFIT_ORGANIZATION}
    if met >= {NON_COMMERCIAL, NON_PROFIT_ORGANIZATION}:
        met |= {NON_PROFIT_NON_COMMERCIAL}
    if not overlaps(purpose, ANCESTRY_RESEARCH):
        met |= {NO_ANCESTRY_RESEARCH}
    return met


@cache
def hierarchy_digest() -> str:
    """Return the digest of the tree, so that a policy digest also names what covers what."""
    return digest_of({"format": "consilium-purposes/1", "parents": _PARENTS, "conditions": sorted(condition_terms())})
