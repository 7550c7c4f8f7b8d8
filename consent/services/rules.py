"""Keeping the flat relation of effective rules in step with the grants."""

from collections import defaultdict
from collections.abc import Collection
from datetime import UTC
from uuid import UUID

from django.utils import timezone

from consent.domain import grants as rules
from consent.domain.conflicts import effective_provisions
from consent.domain.relation import rule_rows
from consent.models import EffectiveRule, Grant
from consortium.common.api import ensure_atomic


def refresh_rules(*, consortium_id: UUID, organization_id: UUID, pseudonyms: Collection[str]) -> None:
    """Put in place what these subjects' grants come to now, in the caller's transaction."""
    ensure_atomic()
    owner = {"consortium_id": consortium_id, "organization_id": organization_id}
    EffectiveRule.objects.filter(**owner, subject__in=pseudonyms).delete()
    by_subject: dict[str, list[rules.Grant]] = defaultdict(list)
    for grant in Grant.objects.filter(**owner, pseudonym__in=pseudonyms, state=Grant.State.ACTIVE):
        by_subject[grant.pseudonym].append(grant.as_rule_source())
    at = timezone.now().astimezone(UTC).replace(microsecond=0)
    EffectiveRule.objects.bulk_create(
        EffectiveRule(**owner, **row._asdict())
        for subject, grants in by_subject.items()
        for row in rule_rows(subject, effective_provisions(grants, at))
    )
