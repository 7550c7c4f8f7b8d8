"""How many things wait, beside "My work" on every page."""

from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.http import HttpRequest
from django.utils import timezone
from django.utils.functional import SimpleLazyObject

from consortium.membership.models import User
from consortium.membership.portal.chosen import chosen_consortium
from consortium.portal.asker import Asker
from consortium.portal.waiting import waiting_for
from contracts.models import ChainCursor

# A count that is this old does no harm; the landing page itself counts anew.
SECONDS = 15
# The projector reads each second or so.
LATE_AFTER = timedelta(minutes=1)


def work(request: HttpRequest) -> dict[str, Any]:
    """The count, read when a page shows it."""
    return {
        "work_count": SimpleLazyObject(lambda: _count(request)),
        "chain_read": SimpleLazyObject(lambda: _chain_read(request)),
    }


def remember(asker: Asker, count: int) -> None:
    cache.set(_key(asker), count, timeout=SECONDS)


def _count(request: HttpRequest) -> int:
    if not isinstance(request.user, User):
        return 0
    asker = Asker.of(request)
    known = cache.get(_key(asker))
    if known is None:
        known = len(waiting_for(asker))
        remember(asker, known)
    return int(known)


def _chain_read(request: HttpRequest) -> dict[str, Any]:
    """The last block that this platform read of the chosen consortium's chain, and whether it is late."""
    consortium = chosen_consortium(request) if isinstance(request.user, User) else None
    cursor = ChainCursor.objects.filter(consortium_id=consortium.pk).first() if consortium else None
    if cursor is None or cursor.read_at is None:
        return {}
    return {
        "block": cursor.position,
        "read_at": cursor.read_at,
        "is_late": bool(cursor.halted_text) or timezone.now() - cursor.read_at > LATE_AFTER,
    }


def _key(asker: Asker) -> str:
    organization, consortium = (one.pk if one else "" for one in (asker.organization, asker.consortium))
    return f"work:{asker.user.pk}:{organization}:{consortium}:{'-'.join(sorted(asker.roles))}"
