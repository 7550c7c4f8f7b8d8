"""Reads about consents; the database's policies decide which rows there are."""

from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Count, QuerySet

from consent.domain.evaluation import Question
from consent.domain.evaluation_sql import RelationNames, evaluation_parameters, evaluation_sql
from consent.models import ConsentBatch, ConsentEpoch, DataSet, EffectiveRule, Grant, Withdrawal
from consortium.kernel.bands import band_label

_RELATION = RelationNames(table="consent_effectiverule", scope=("consortium_id", "organization_id"))


def permitted_count(*, consortium_id: UUID, organization_id: UUID, question: Question) -> int:
    """How many subjects of the organization permit the question, by one statement; for the organization's own eyes."""
    statement = f"SELECT count(*) FROM ({evaluation_sql(_RELATION)}) AS permitted"  # noqa: S608  names are constants
    parameters = {
        **evaluation_parameters(question),
        **{"consortium_id": consortium_id, "organization_id": organization_id},
    }
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return int(cursor.fetchone()[0])


def grant_numbers(*, consortium_id: UUID, organization_id: UUID) -> dict[str, int]:
    """The organization's own grants by state, and its subjects who permit anything: exact, for itself alone."""
    owner = {"consortium_id": consortium_id, "organization_id": organization_id}
    counted = Grant.objects.filter(**owner).values_list("state").annotate(Count("pk"))
    numbers = dict.fromkeys(Grant.State.values, 0) | dict(counted)
    permitting = EffectiveRule.objects.filter(**owner, effect="permit").values("subject").distinct()
    return numbers | {"permitting_subjects": permitting.count()}


def subject_count(*, consortium_id: UUID, organization_id: UUID) -> int:
    """How many people the organization's grants are of: exact, for itself alone."""
    grants = Grant.objects.filter(consortium_id=consortium_id, organization_id=organization_id)
    return grants.exclude(state=Grant.State.ERASED).values("pseudonym").distinct().count()


def bands_of_members(consortium_id: UUID) -> list[dict[str, Any]]:
    """The newest confirmed epoch of each member: what a consortium sees of its members' consents."""
    confirmed = ConsentEpoch.objects.filter(consortium_id=consortium_id, chain_state="confirmed")
    newest = confirmed.order_by("organization_id", "-epoch").distinct("organization_id")
    return [
        {
            "organization": str(row.organization_id),
            "epoch": row.epoch,
            "seq": row.seq,
            "band": row.band,
            "band_label": band_label(row.band),
            "root": row.root,
            "as_of": row.as_of,
            "confirmed_block": row.confirmed_block,
        }
        for row in newest
    ]


def imports(organization_id: UUID) -> QuerySet[ConsentBatch]:
    """The organization's batches, newest first."""
    return ConsentBatch.objects.filter(organization_id=organization_id).order_by("-created_at")


def withdrawals(organization_id: UUID) -> QuerySet[Withdrawal]:
    """The organization's withdrawals with their effects, newest first."""
    return (
        Withdrawal.objects.filter(organization_id=organization_id).prefetch_related("effects").order_by("-created_at")
    )


def withdrawals_for_agent(organization_id: UUID, limit: int = 100) -> list[dict[str, Any]]:
    """What waits for the site's receipt, oldest first."""
    waiting = Withdrawal.objects.filter(organization_id=organization_id, state=Withdrawal.State.RECORDED)
    return [
        {
            "id": str(row.pk),
            "pseudonym": row.pseudonym,
            "consents": row.consent_ids,
            "reason": row.reason,
            "recorded_at": row.created_at.isoformat(),
        }
        for row in waiting.order_by("created_at")[:limit]
    ]


def data_sets(consortium_id: UUID | None = None) -> QuerySet[DataSet]:
    """The newest registration of each data set that the asker's consortia hold."""
    found = DataSet.objects.all() if consortium_id is None else DataSet.objects.filter(consortium_id=consortium_id)
    order = ("consortium_id", "organization_id", "name")
    return found.order_by(*order, "-signed_at", "-created_at").distinct(*order)
