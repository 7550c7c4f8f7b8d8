"""Which of one's consortia the pages speak of: chosen in the rail, kept in the session."""

from django.http import HttpRequest

from consortium.membership import selectors
from consortium.membership.models import Consortium

SESSION_KEY = "consortium_id"
_KEPT = "_consortia"


def visible_consortia(request: HttpRequest) -> list[Consortium]:
    """The consortia that the acting organization sees, with their members; read once a request."""
    found: list[Consortium] | None = getattr(request, _KEPT, None)
    if found is None:
        found = list(selectors.consortia_with_members())
        setattr(request, _KEPT, found)
    return found


def chosen_consortium(request: HttpRequest) -> Consortium | None:
    """The chosen consortium, else the first by name; None for somebody who sees none.

    A choice that is not visible (any more) counts as none, so a session never opens what its person may not see.
    """
    found = visible_consortia(request)
    chosen = request.session.get(SESSION_KEY, "")
    return next((one for one in found if str(one.pk) == chosen), found[0] if found else None)
