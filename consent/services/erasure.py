"""Erasing a subject on the platform: contents, pseudonym and links go; digests and the log stay (GDPR Art. 17)."""

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from audit.acts import Actor, Subject
from audit.erasure import erase_personal
from audit.recorder import record
from consent.domain.documents import read_erasure
from consent.domain.grants import TRANSITIONS, GrantState
from consent.models import EffectiveRule, Grant, Withdrawal, WithdrawalEffect
from consent.services.site_keys import require_document_signature
from consortium.kernel.errors import InvalidInputError

MAX_RUNS_IN_A_RECORD = 256


@transaction.atomic
def take_erasure(*, document: Mapping[str, Any], signature: str, organization_id: UUID, actor: Actor) -> int:
    """Erase the subject of a document that the site signed; return how many grants were emptied.

    What is left of a grant is a random name in its batch's count; the record of the act commits to a pseudonym
    that nobody holds any more.
    """
    erasure = read_erasure(document)
    if erasure.organization != organization_id:
        raise InvalidInputError(_("The erasure is another organization's."))
    require_document_signature(document, signature, organization_id=organization_id)
    erased = _empty_grants(organization_id, erasure.pseudonym)
    record(
        action="consent.subject.erase",
        organization_id=organization_id,
        consortium_id=None,
        actor=actor,
        subject=Subject("data_subject", erasure.pseudonym),
        data={"runs": [str(run) for run in erasure.runs[:MAX_RUNS_IN_A_RECORD]], "models": []},
    )
    erase_personal(organization_id=organization_id, value=erasure.pseudonym, actor=actor)
    return erased


def _empty_grants(organization_id: UUID, pseudonym: str) -> int:
    erasable = [state.value for state in GrantState if GrantState.ERASED in TRANSITIONS[state]]
    grants = Grant.objects.filter(organization_id=organization_id, pseudonym=pseudonym, state__in=erasable)
    found = list(grants.select_for_update().order_by("pk"))
    for grant in found:
        grant.state, grant.resource = Grant.State.ERASED, None
        grant.pseudonym, grant.consent_id = secrets.token_hex(32), secrets.token_hex(32)
        grant.save(update_fields=["state", "resource", "pseudonym", "consent_id"])
    EffectiveRule.objects.filter(organization_id=organization_id, subject=pseudonym).delete()
    withdrawals = Withdrawal.objects.filter(organization_id=organization_id, pseudonym=pseudonym)
    # The entry's number would lead to the subject's commitment on the chain.
    WithdrawalEffect.objects.filter(withdrawal__in=withdrawals, block__isnull=False).update(seq=None, epoch=None)
    withdrawals.update(pseudonym="", consent_ids=[], receipt=None)
    return len(found)
