"""Survivors: the set is named once, durably, and signed by at least t of its members before anything opens."""

from django.utils import timezone

from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.identifiers import to_hex
from consortium.membership.models import WorkItem
from training.coordination.desk import Desk
from training.coordination.errands import Errands, result_of
from training.coordination.opening import opened_attempt, roster_parts, survivors_of
from training.domain.messages import read_signature
from training.errors import AttemptFailedError
from training.federated.secagg.opened import OpenedAttempt
from training.federated.secagg.survivors import SURVIVOR_SET, SurvivorSet, survivor_set
from training.federated.wire import read_object
from training.models import Attempt, SitePart


def agree_on_survivors(desk: Desk, round_number: int, number: int) -> None:
    """Name the survivors, and collect their signatures.

    Raises
    ------
    AttemptFailedError
        If fewer than t signed; nothing was revealed.
    """
    attempt = desk.attempt(round_number, number)
    opened = opened_attempt(desk, attempt)
    survivors = _name(desk, attempt, opened)
    parts = roster_parts(attempt)
    members = survivors.members(opened)
    waiting = {site: {"survivors": survivors.to_wire()} for site in members if not parts[site].survivor_signature}

    def take(part: SitePart, item: WorkItem) -> None:
        answer = read_object(result_of(item), ("signature",), what="answer to sign")
        signature = read_signature(answer["signature"])
        desk.signatures.verify(part.organization_id, SURVIVOR_SET, survivors.fields(opened), signature)
        part.survivor_signature = to_hex(signature)
        part.save(update_fields=["survivor_signature"])

    Errands(desk, attempt, "sign").gather(waiting, take, seconds=desk.patience.sign)
    signed = attempt.parts.exclude(survivor_signature="").count()
    if signed < opened.parameters.t:
        raise AttemptFailedError("too_few_survivors", f"{signed} signatures are fewer than t={opened.parameters.t}.")
    with desk.write():
        desk.advance(attempt, signed_at=timezone.now())
    desk.at("signed")


def _name(desk: Desk, attempt: Attempt, opened: OpenedAttempt) -> SurvivorSet:
    """Return the attempt's one survivor set: as stored, else everybody whose vector is in."""
    if attempt.survivors is not None:
        return survivors_of(attempt)
    parts = roster_parts(attempt)
    digests = [(site, digest_to_bytes32(part.vector)) for site, part in parts.items() if part.vector]
    survivors = survivor_set(opened, digests)
    with desk.write():
        desk.advance(attempt, survivors=survivors.to_wire())
    desk.at("survivors_named")
    return survivors
