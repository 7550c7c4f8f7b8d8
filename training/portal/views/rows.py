"""Fetching the one row that a page is about."""

from typing import TypeVar
from uuid import UUID

from django.db.models import Model as Row
from django.db.models import QuerySet
from django.http import Http404, HttpRequest

from consortium.membership.portal.chosen import chosen_consortium

R = TypeVar("R", bound=Row)


def only(rows: QuerySet[R], key: UUID) -> R:
    """Return the row; 404 where there is none or the reader may not see it."""
    found = rows.filter(pk=key).first()
    if found is None:
        raise Http404
    return found


def of_chosen(rows: QuerySet[R], request: HttpRequest) -> QuerySet[R]:
    """Return the rows of the consortium that the reader has chosen."""
    consortium = chosen_consortium(request)
    return rows.none() if consortium is None else rows.filter(consortium_id=consortium.pk)
