"""Which models are ours, who may read their rows, and what the database says of them."""

from collections.abc import Iterable
from typing import Any, cast

from django.apps import apps
from django.db import connection
from django.db.models import Model as Row

from audit import models as audit
from consent import models as consent
from consortium.common.models import RememberedAnswer
from consortium.membership import models as membership
from contracts.models import RelayAccount

OURS = ("consortium", "consent", "training", "audit", "contracts")
# Rows that an organization's partners do not see either.
PRIVATE: frozenset[type[Row]] = frozenset(
    {
        RememberedAnswer,
        membership.WorkItem,
        membership.SitePresence,
        membership.User,
        membership.RoleAssignment,
        membership.Invitation,
        membership.MemberPage,
        audit.PersonalField,
        audit.Bundle,
        consent.ConsentBatch,
        consent.Withdrawal,
        consent.WithdrawalEffect,
        consent.Grant,
        consent.EffectiveRule,
        # The system's own: no tenant reads them.
        audit.PendingRecord,
        audit.RecordKey,
        RelayAccount,
    }
)
# Models without a tenant's rows, each with the reason.
EXEMPT: dict[type[Row], str] = {
    consent.Purpose: "the public words of the Data Use Ontology, the same for everybody and filled by a migration",
}
# How a table counts for an invariant: every row as text, in an order of its own.
_DIGEST = (
    "SELECT coalesce(md5(string_agg(row.text, '|' ORDER BY row.text)), '') FROM (SELECT t::text FROM {} t) row(text)"
)


def our_models() -> list[type[Row]]:
    """Every model of ours that Django knows of."""
    found = [model for model in apps.get_models(include_auto_created=True) if model.__module__.split(".")[0] in OURS]
    return sorted(set(found) - set(EXEMPT), key=lambda model: model._meta.label)


def state_of(models: Iterable[type[Row]]) -> dict[str, str]:
    """A digest of each table as the present role sees it; `hidden` where it may not look at all."""
    return {model._meta.db_table: _digest(model) for model in models}


def _digest(model: type[Row]) -> str:
    table = model._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_table_privilege(%s, 'SELECT')", [table])
        if not cursor.fetchone()[0]:
            return "hidden"
        cursor.execute(_DIGEST.format(connection.ops.quote_name(table)))
        return str(cursor.fetchone()[0])


def key_of(row: Row) -> dict[str, Any]:
    """The columns that make a row's primary key, and their values."""
    fields = row._meta.pk_fields
    return {cast("str", field.column): getattr(row, field.attname) for field in fields}


def markers_of(rows: Iterable[Row]) -> set[str]:
    """Texts that stand in an answer only if one of the rows was shown: ids of their own."""
    return {str(row.pk) for row in rows if row._meta.pk_fields[0].column == "id"}
