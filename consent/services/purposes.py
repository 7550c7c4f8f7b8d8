"""Filling the reference table of purposes; migrations call it as the owner."""

from typing import Any

from consent.domain.purposes import condition_terms, duo_terms


def fill_purposes(purposes: Any) -> None:
    """Put every term of the shipped ontology into the table, whose manager is given."""
    conditions = condition_terms()
    for term in duo_terms().values():
        purposes.update_or_create(
            code=term.code,
            defaults={"shorthand": term.shorthand, "label": term.label, "is_condition": term.code in conditions},
        )
