"""Revealing: survivors release shares against t signatures. From here on the attempt is never repeated."""

from django.utils import timezone

from consortium.membership.models import WorkItem
from training.coordination.desk import Desk
from training.coordination.errands import Errands, result_of
from training.coordination.opening import deals_of, opened_attempt, roster_parts, survivors_of
from training.domain.states import AttemptState
from training.errors import AnswerInvalidError, AttemptFailedError
from training.federated.secagg.opening import ensure_release
from training.federated.secagg.releases import ReleasedShares
from training.models import SitePart


def reveal(desk: Desk, round_number: int, number: int) -> None:
    """Collect the survivors' shares; the state says so before the first is asked for.

    Raises
    ------
    AttemptFailedError
        If fewer than t released usable shares.
    """
    attempt = desk.attempt(round_number, number)
    if attempt.state != AttemptState.REVEALED:
        with desk.write():
            desk.advance(attempt, AttemptState.REVEALED)
        desk.at("revealing")
    opened, survivors, parts = opened_attempt(desk, attempt), survivors_of(attempt), roster_parts(attempt)
    deals, members = deals_of(parts), survivors.members(opened)
    signed = {site: part.survivor_signature for site, part in parts.items() if part.survivor_signature}
    payload = {
        "survivors": survivors.to_wire(),
        "signatures": [{"organization": str(site), "signature": text} for site, text in signed.items()],
    }
    waiting = {site: payload for site in signed if parts[site].release is None}

    def take(part: SitePart, item: WorkItem) -> None:
        released = ReleasedShares.from_wire(result_of(item))
        if released.holder != part.organization_id:
            raise AnswerInvalidError("A site releases its own shares only.")
        ensure_release(opened, deals, members, released)
        part.release = released.to_wire()
        part.save(update_fields=["release"])

    Errands(desk, attempt, "reveal").gather(waiting, take, seconds=desk.patience.reveal)
    releases = attempt.parts.filter(release__isnull=False).count()
    if releases < opened.parameters.t:
        raise AttemptFailedError("too_few_survivors", f"{releases} releases are fewer than t={opened.parameters.t}.")
    with desk.write():
        desk.advance(attempt, released_at=timezone.now())
    desk.at("released")
