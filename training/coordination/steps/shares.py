"""Shares: every site of the roster deals its two secrets, encrypted, to the others."""

from django.utils import timezone

from consortium.membership.models import WorkItem
from training.coordination.desk import Desk
from training.coordination.errands import Errands, result_of
from training.coordination.opening import opened_attempt, roster_parts
from training.domain.states import AttemptState
from training.errors import AnswerInvalidError, AttemptFailedError
from training.federated.secagg.deals import SignedDeal, ensure_deal
from training.federated.secagg.opened import OpenedAttempt
from training.federated.secagg.parameters import MAX_SITES
from training.federated.secagg.share_transport import EncryptedShare
from training.federated.wire import read_list, read_object
from training.models import SitePart


def gather_shares(desk: Desk, round_number: int, number: int) -> None:
    """Collect the deals; with at least t of them the dealers are fixed and training may be asked for.

    Raises
    ------
    AttemptFailedError
        If fewer than t sites dealt.
    """
    attempt = desk.attempt(round_number, number)
    opened, parts = opened_attempt(desk, attempt), roster_parts(attempt)
    payload = {"mask_keys": [part.mask_keys for part in parts.values()]}
    waiting = {site: payload for site, part in parts.items() if part.deal is None}
    errands = Errands(desk, attempt, "shares")
    errands.gather(waiting, lambda part, item: _take(desk, opened, part, item), seconds=desk.patience.shares)
    dealers = attempt.parts.filter(deal__isnull=False).count()
    if dealers < opened.parameters.t:
        raise AttemptFailedError("site_lost", f"{dealers} dealers are fewer than t={opened.parameters.t}.")
    with desk.write():
        desk.advance(attempt, AttemptState.COLLECTING, dealt_at=timezone.now())
    desk.at("dealt")


def _take(desk: Desk, opened: OpenedAttempt, part: SitePart, item: WorkItem) -> None:
    answer = read_object(result_of(item), ("deal", "shares"), what="answer to shares")
    deal = SignedDeal.from_wire(answer["deal"])
    entries = read_list(answer["shares"], what="shares", max_items=MAX_SITES)
    shares = [EncryptedShare.from_wire(entry) for entry in entries]
    site = part.organization_id
    holders = sorted(share.holder for share in shares)
    others = sorted(organization for organization in opened.roster if organization != site)
    if deal.dealer != site or holders != others or any(share.dealer != site for share in shares):
        raise AnswerInvalidError("A site deals in its own name, one share to each other site of the roster.")
    ensure_deal(opened, deal, desk.signatures.verify)
    part.deal, part.shares = deal.to_wire(), [share.to_wire() for share in shares]
    part.save(update_fields=["deal", "shares"])
