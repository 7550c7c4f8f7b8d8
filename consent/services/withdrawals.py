"""Withdrawing: recorded here at once, received by the site with its receipt, confirmed by every chain."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.acts import Actor, Subject
from audit.recorder import record
from consent.access import access_grant
from consent.domain.provisions import Effect
from consent.errors import GrantAlreadyWithdrawnError
from consent.models import Grant, Withdrawal, WithdrawalEffect
from consent.services.rules import refresh_rules
from consortium.kernel.errors import InvalidInputError, NotFoundError


@transaction.atomic
def withdraw(
    *, organization_id: UUID, reason: str, actor: Actor, pseudonym: str = "", grant_id: UUID | None = None
) -> Withdrawal:
    """Withdraw one grant, or every grant by which a subject permits anything, from now on.

    The platform's own copy stops permitting at once; rounds are bound once the withdrawal is confirmed. Withdrawing
    is as easy as giving consent (GDPR Art. 7(3)): no reason but a code is asked for.

    Raises
    ------
    NotFoundError
        If the organization has no such grant or subject.
    GrantAlreadyWithdrawnError
        If nothing of it is active any more; nothing is changed then.
    """
    if (grant_id is None) == (not pseudonym):
        raise InvalidInputError(_("Name a grant or a pseudonym, one of the two."))
    grants = _named_grants(organization_id, pseudonym, grant_id)
    withdrawal = Withdrawal.objects.create(
        organization_id=organization_id,
        pseudonym=grants[0].pseudonym,
        consent_ids=sorted({grant.consent_id for grant in grants}),
        reason=reason,
        origin=Withdrawal.Origin.PLATFORM,
    )
    take_effect(withdrawal, grants)
    record(
        action="consent.withdrawal.record",
        organization_id=organization_id,
        consortium_id=None,
        actor=actor,
        subject=Subject("data_subject", withdrawal.pseudonym),
        data={"withdrawal": str(withdrawal.pk)},
    )
    return withdrawal


def take_effect(withdrawal: Withdrawal, grants: Sequence[Grant]) -> None:
    """Mark the grants withdrawn, and wait for each consortium's chain that they stand in."""
    found = Grant.objects.filter(pk__in=[grant.pk for grant in grants], state=Grant.State.ACTIVE)
    found.update(state=Grant.State.WITHDRAWN, withdrawal=withdrawal)
    for consortium_id in sorted({grant.consortium_id for grant in grants}):
        WithdrawalEffect.objects.get_or_create(
            withdrawal=withdrawal, organization_id=withdrawal.organization_id, consortium_id=consortium_id
        )
        refresh_rules(
            consortium_id=consortium_id,
            organization_id=withdrawal.organization_id,
            pseudonyms=[withdrawal.pseudonym],
        )


def settle(withdrawal_id: UUID) -> Withdrawal | None:
    """Confirm a received withdrawal whose every effect is on its chain; return it if this call confirmed it."""
    if WithdrawalEffect.objects.filter(withdrawal_id=withdrawal_id, block__isnull=True).exists():
        return None
    received = Withdrawal.objects.filter(pk=withdrawal_id, state=Withdrawal.State.RECEIVED)
    if not received.update(state=Withdrawal.State.CONFIRMED, confirmed_at=timezone.now()):
        return None
    return Withdrawal.objects.get(pk=withdrawal_id)


def _named_grants(organization_id: UUID, pseudonym: str, grant_id: UUID | None) -> list[Grant]:
    if grant_id is not None:
        named = access_grant(grant_id, organization_id=organization_id)
        # The same consent may stand in several consortia; it is withdrawn in all of them.
        found = Grant.objects.filter(organization_id=organization_id, consent_id=named.consent_id)
    else:
        found = Grant.objects.filter(organization_id=organization_id, pseudonym=pseudonym)
    grants = list(found.select_for_update().order_by("pk"))
    if not grants:
        raise NotFoundError(_("There is no such subject in your organization."))
    # A refusal is not withdrawn: nobody may permit more by a withdrawal than before.
    chosen = [grant for grant in grants if grant.state == Grant.State.ACTIVE and _permits(grant)]
    if not chosen:
        raise GrantAlreadyWithdrawnError(_("Nothing that is active permits anything: there is nothing to withdraw."))
    return chosen


def _permits(grant: Grant) -> bool:
    provision = grant.as_rule_source().provision
    return provision is not None and any(inner.effect is Effect.PERMIT for _depth, inner in provision.walk())
