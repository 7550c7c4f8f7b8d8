"""Reads about membership; the database's policies decide which rows there are."""

from django.db.models import Prefetch, QuerySet

from consortium.membership.models import Consortium, Membership


def consortia_with_members() -> QuerySet[Consortium]:
    """The consortia that the acting organization sees, each with its memberships in order of name."""
    members = Membership.objects.select_related("organization").order_by("organization__name")
    return Consortium.objects.prefetch_related(Prefetch("memberships", queryset=members)).order_by("name")
