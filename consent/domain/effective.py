"""Effective provisions: what one subject permits after the conflict policy; the content of C in a consent leaf.

A list of rules in groups. A question is permitted if, for each category and recipient it names, at least one
group answers "permit" and none answers "deny". The list is sorted and minimal, its JSON one text for one
meaning's rules, so that it can be committed to and opened to an auditor without the subject.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consent.domain.grants import LegalBasis
from consent.domain.provisions import Effect, require_category, require_organization
from consent.domain.purposes import require_conditions, require_purpose
from consent.domain.rules import Rule
from consent.domain.times import instant_from_text, instant_to_text
from consortium.kernel.canonical import canonical_json
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.errors import InvalidInputError

FORMAT = "consilium-provisions/1"
MAX_EFFECTIVE_RULES = 1024


@dataclass(frozen=True, slots=True)
class EffectiveProvisions:
    """The rules of one subject under the conflict policy of this digest."""

    policy: str
    rules: tuple[Rule, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON object that a leaf commits to; times are RFC 3339 UTC, null is any, or never."""
        return {"format": FORMAT, "policy": self.policy, "rules": [rule_to_json(rule) for rule in self.rules]}


def effective_from_json(value: Mapping[str, Any]) -> EffectiveProvisions:
    """Read opened provisions.

    Raises
    ------
    InvalidInputError
        If the object is not exactly what `EffectiveProvisions.to_json` writes, order of the rules included.
    """
    try:
        digest_to_bytes32(value["policy"])
        if len(value["rules"]) > MAX_EFFECTIVE_RULES:
            raise InvalidInputError(f"At most {MAX_EFFECTIVE_RULES} rules are read for one subject.")
        rules = tuple(_rule_from_json(item) for item in value["rules"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInputError("The object does not hold effective provisions.") from error
    effective = EffectiveProvisions(value["policy"], rules)
    if list(rules) != sorted(set(rules), key=sort_key) or effective.to_json() != dict(value):
        raise InvalidInputError("The effective provisions are not in their canonical form.")
    return effective


def sort_key(rule: Rule) -> tuple[int, bytes]:
    """Return the key of the canonical order: the group, then the rule's canonical JSON."""
    return rule.group, canonical_json(rule_to_json(rule))


def rule_to_json(rule: Rule) -> dict[str, Any]:
    """Return one rule as a JSON object."""
    return {
        "group": rule.group,
        "rank": rule.rank,
        "effect": rule.effect.value,
        "purpose": rule.purpose,
        "category": rule.category,
        "recipient": rule.recipient,
        "conditions": sorted(rule.conditions),
        "legal_basis": None if rule.legal_basis is None else rule.legal_basis.value,
        "valid_from": instant_to_text(rule.valid_from),
        "valid_until": None if rule.valid_until is None else instant_to_text(rule.valid_until),
    }


def _rule_from_json(item: Mapping[str, Any]) -> Rule:
    effect = Effect(item["effect"])
    basis, until = item["legal_basis"], item["valid_until"]
    permits = effect is Effect.PERMIT
    if permits == (basis is None) or (item["conditions"] and not permits):
        raise ValueError("a permit has a legal basis; a denial has neither that nor conditions")
    return Rule(
        group=_natural(item["group"]),
        rank=_natural(item["rank"]),
        effect=effect,
        purpose=require_purpose(item["purpose"]),
        category=None if item["category"] is None else require_category(item["category"]),
        recipient=None if item["recipient"] is None else require_organization(item["recipient"]),
        conditions=require_conditions(item["conditions"]),
        legal_basis=None if basis is None else LegalBasis(basis),
        valid_from=instant_from_text(item["valid_from"]),
        valid_until=None if until is None else instant_from_text(until),
    )


def _natural(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise ValueError("not a natural number")
    return value
