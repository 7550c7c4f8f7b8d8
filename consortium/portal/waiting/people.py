"""People: invited, and not come in yet."""

from collections.abc import Iterator

from django.urls import reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from consortium.common.parts import Waiting
from consortium.membership.selectors import open_invitations
from consortium.portal.asker import Asker


def invitations(asker: Asker) -> Iterator[Waiting]:
    if not asker.has("admin") or asker.organization is None:
        return
    waiting = list(open_invitations(asker.organization.pk))
    if waiting:
        title = ngettext("%(n)s invited person has not come in", "%(n)s invited people have not come in", len(waiting))
        first = min(one.expires_at for one in waiting)
        yield Waiting(
            urgency=6,
            icon="user-plus",
            title=title % {"n": len(waiting)},
            text=_("The next link expires on %(day)s.") % {"day": date_format(first, "j M Y")},
            url=reverse("people") + "#invitations",
            act=_("Review invitations"),
            since=min(one.created_at for one in waiting),
        )
