"""Members by name and colour."""

from dataclasses import dataclass
from uuid import UUID

from django.utils.translation import gettext as _

from consortium.common.hues import hues_of
from consortium.membership.models import Membership


@dataclass(frozen=True, slots=True)
class Site:
    """A member as pages write it; `hue` is 1 to 8 or 0 for none, `is_own` whether the reader acts for it."""

    id: UUID
    name: str
    hue: int
    is_own: bool = False


class Sites:
    """The members of one consortium by id; one who is not visible any more is "A former member"."""

    def __init__(self, consortium_id: UUID, own: UUID | None = None) -> None:
        rows = Membership.objects.filter(consortium_id=consortium_id).select_related("organization")
        members = list(rows)
        hues = hues_of(members)
        self._own = own
        self._known = {
            row.organization_id: Site(
                row.organization_id, row.organization.name, hues.get(row.organization_id, 0), self.is_own(row)
            )
            for row in members
        }
        self.active = {row.organization_id for row in members if row.status == Membership.Status.ACTIVE}

    def is_own(self, row: Membership) -> bool:
        return row.organization_id == self._own

    def __getitem__(self, identifier: UUID) -> Site:
        return self._known.get(identifier) or Site(identifier, _("A former member"), 0)

    @property
    def members(self) -> list[Site]:
        """All of them, in the order of their names."""
        return sorted(self._known.values(), key=lambda site: site.name)

    @property
    def names(self) -> dict[UUID, str]:
        return {identifier: site.name for identifier, site in self._known.items()}
