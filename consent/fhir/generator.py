"""Consents for data that has none: made for a demonstration, the same for the same seed, and labelled as made.

Each resource carries the security label HTEST (v3-ActReason, test health data) and a tag of ours; both stay when it
is stripped. It also carries a narrative and an attached text that say so, which are dropped like anybody's.
"""

import base64
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any

from consent.domain.provisions import RESOURCE_TYPES
from consent.domain.times import instant_to_text, require_instant
from consent.fhir.codes import ACT_CODE, ACT_REASON, CONSENT_ACTION, CONSENT_SCOPE, DUO
from consortium.kernel.errors import InvalidInputError

LABEL = "generated for demonstration"
TAG_SYSTEM = "urn:consilium:provenance"
TAG_CODE = "generated-for-demonstration"
TEXT_VERSION = "urn:consilium:demonstration:research-consent:1"
CATEGORIES = ("Patient", "Encounter", "Procedure")

_TERM = timedelta(days=3650)
_NARRATIVE = f'<div xmlns="http://www.w3.org/1999/xhtml">{LABEL}</div>'


class Outcome(StrEnum):
    """What a generated consent says about health research (HMB) on the day it was made for."""

    PERMITS = "permits"
    DENIES = "denies"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


# Of a hundred; at least one of each as soon as there are four subjects, so that every case is in the story.
SHARES = {Outcome.DENIES: 8, Outcome.EXPIRED: 5, Outcome.WITHDRAWN: 5}


@dataclass(frozen=True, slots=True)
class GeneratedConsents:
    """The resources, in the order of the subjects, and the truth that a referee compares with."""

    resources: tuple[dict[str, Any], ...]
    truth: Mapping[str, Outcome]

    def permitting(self) -> frozenset[str]:
        """Return the subjects who permit health research."""
        return frozenset(subject for subject, outcome in self.truth.items() if outcome is Outcome.PERMITS)


def generate_consents(
    subjects: Sequence[str], *, seed: int, made_for: datetime, categories: Sequence[str] = CATEGORIES
) -> GeneratedConsents:
    """Return one R4 Consent for each subject id.

    Parameters
    ----------
    subjects : FHIR ids, none twice
        Which subject gets which outcome depends on the seed and on the set of subjects, not on their order.
    made_for : aware datetime, whole seconds
        The outcomes hold on this day and for years after it.
    categories : names of FHIR resource types that the consents speak about

    Raises
    ------
    InvalidInputError
        If a subject is named twice.
    """
    if len(set(subjects)) != len(subjects):
        raise InvalidInputError("A subject is named twice; each gets one consent.")
    require_instant(made_for, "made for")
    truth = _outcomes(subjects, seed)
    resources = tuple(_resource(subject, truth[subject], seed, made_for, categories) for subject in subjects)
    return GeneratedConsents(resources, truth)


def is_generated(resource: Mapping[str, Any]) -> bool:
    """Say whether the resource carries the tag of this module."""
    tags = resource.get("meta", {}).get("tag", ())
    return any(tag.get("system") == TAG_SYSTEM and tag.get("code") == TAG_CODE for tag in tags)


def _outcomes(subjects: Sequence[str], seed: int) -> dict[str, Outcome]:
    shuffled = sorted(subjects, key=lambda subject: _number(seed, "outcome", subject))
    outcomes = dict.fromkeys(subjects, Outcome.PERMITS)
    position = 0
    for outcome, share in SHARES.items() if len(subjects) > len(SHARES) else ():
        count = max(1, len(subjects) * share // 100)
        outcomes |= dict.fromkeys(shuffled[position : position + count], outcome)
        position += count
    return outcomes


def _resource(
    subject: str, outcome: Outcome, seed: int, made_for: datetime, categories: Sequence[str]
) -> dict[str, Any]:
    start = _signed_on(subject, outcome, seed, made_for)
    end = made_for - timedelta(days=30) if outcome is Outcome.EXPIRED else start + _TERM
    return {
        "resourceType": "Consent",
        "id": f"consent-{_number(seed, 'id', subject):064x}"[:40],
        "meta": {
            "security": [{"system": ACT_REASON, "code": "HTEST"}],
            "tag": [{"system": TAG_SYSTEM, "code": TAG_CODE, "display": LABEL}],
        },
        "text": {"status": "generated", "div": _NARRATIVE},
        "status": "inactive" if outcome is Outcome.WITHDRAWN else "active",
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "research"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "57016-8"}]}],
        "patient": {"reference": f"Patient/{subject}"},
        "dateTime": instant_to_text(start),
        "sourceAttachment": {
            "contentType": "text/plain",
            "title": LABEL,
            "data": base64.b64encode(LABEL.encode()).decode(),
        },
        "policy": [{"uri": TEXT_VERSION}],
        "policyRule": {"coding": [{"system": ACT_CODE, "code": "OPTIN"}]},
        "provision": _provision(outcome, start, end, categories),
    }


def _provision(outcome: Outcome, start: datetime, end: datetime, categories: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "deny" if outcome is Outcome.DENIES else "permit",
        "period": {"start": instant_to_text(start), "end": instant_to_text(end)},
        "action": [{"coding": [{"system": CONSENT_ACTION, "code": "use"}]}],
        "purpose": [{"system": DUO, "code": "DUO_0000006", "display": "health or medical or biomedical research"}],
        "class": [{"system": RESOURCE_TYPES, "code": name} for name in categories],
    }


def _signed_on(subject: str, outcome: Outcome, seed: int, made_for: datetime) -> datetime:
    day = made_for.astimezone(UTC).replace(hour=9, minute=0, second=0)
    age_days = (400 if outcome is Outcome.EXPIRED else 60) + _number(seed, "day", subject) % 300
    return day - timedelta(days=age_days)


def _number(seed: int, what: str, subject: str) -> int:
    """Return 256 bits that follow from seed and subject: repeatable by intent, and nothing rests on their secrecy."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{what}/{subject}".encode()).digest(), "big")
