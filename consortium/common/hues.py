"""The colour of a member: by the order of joining, so that it stays when others come or go."""

from collections.abc import Iterable
from typing import Any, Final

HUES: Final = 8


def hues_of(memberships: Iterable[Any]) -> dict[Any, int]:
    """Return each organization's colour, 1 to 8, from the memberships of one consortium; applicants have none."""
    joined = [row for row in memberships if row.joined_at or row.status != "applicant"]
    joined.sort(key=_order)
    return {row.organization_id: place % HUES + 1 for place, row in enumerate(joined)}


def _order(row: Any) -> tuple[Any, ...]:
    return row.joined_at is None, row.joined_at or row.created_at, row.confirmed_block or 0, row.pk
