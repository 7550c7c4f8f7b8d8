"""Registering data sets: what a site describes and signs, readable by its consortium."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from audit.acts import Actor, Subject
from audit.recorder import record
from consent.domain.data_sets import read_data_set
from consent.models import DataSet
from consent.services.site_keys import require_document_signature
from consortium.kernel.digests import digest_of
from consortium.kernel.errors import InvalidInputError
from consortium.membership.access import require_member


@transaction.atomic
def register_data_set(*, document: Mapping[str, Any], signature: str, organization_id: UUID, actor: Actor) -> DataSet:
    """Register a data set, or a new state of one; the same document again is the same registration.

    Raises
    ------
    InvalidInputError, InvalidSignatureError
        If it holds a count, an unknown purpose or column, or is not signed by the present site key.
    """
    described = read_data_set(document)
    if described.organization != organization_id:
        raise InvalidInputError(_("The data set is another organization's."))
    require_member(described.consortium, organization_id)
    require_document_signature(document, signature, organization_id=organization_id, consortium_id=described.consortium)
    row, is_new = DataSet.objects.get_or_create(
        consortium_id=described.consortium,
        organization_id=organization_id,
        digest=digest_of(dict(document)),
        defaults={
            "name": described.name,
            "schema": dict(described.schema),
            "schema_digest": described.schema_digest,
            "band": described.band,
            "purposes": list(described.purposes),
            "conditions": list(described.conditions),
            "signed_at": datetime.fromtimestamp(described.signed_at, UTC),
            "signature": signature,
        },
    )
    if is_new:
        record(
            action="consent.data_set.register",
            organization_id=None,
            consortium_id=described.consortium,
            actor=actor,
            subject=Subject("data_set", str(row.pk)),
            data={"schema": row.schema_digest, "band": row.band},
        )
    return row
