"""What the pages of other consortia's models show: peers, statements as proofs, and deliveries that were refused."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import Max, Q, QuerySet
from django.utils.translation import gettext as _

from consortium.common.models import TransactionState
from consortium.common.parts import Step
from consortium.governance.models import Proposal
from consortium.membership.models import Consortium
from contracts.crosschain.asking import AGAIN, INBOX, SETTLED
from contracts.models import OutboxTransaction
from training.domain.states import ForeignState
from training.models import ForeignModel, ForeignStatement, Peer

# A peer's chain may hold any number of models; the API has all of them. Of calls so many are looked through.
MOST = 200
MOST_REFUSED = 10
_ICONS = {ForeignState.REGISTERED: "box", ForeignState.RELEASED: "circle-check", ForeignState.RECALLED: "undo-2"}


@dataclass(frozen=True, slots=True)
class PeerLine:
    """A peer with the number of its models that count, and of those that it recalled."""

    peer: Peer
    counting: int
    recalled: int


def foreign_models() -> QuerySet[ForeignModel]:
    """Models of other consortia, the newest proven first."""
    return ForeignModel.objects.select_related("peer", "consortium").order_by("-proven_at", "digest")


def peers() -> QuerySet[Peer]:
    """Peers, those that count first."""
    return Peer.objects.order_by("-is_accepted", "peer")


def peer_lines(rows: Iterable[Peer], models: QuerySet[ForeignModel]) -> list[PeerLine]:
    """Each peer with what is known of its models."""
    counted = Counter(models.order_by().values_list("peer_id", "state"))
    return [
        PeerLine(
            peer,
            counted[peer.pk, ForeignState.RELEASED] if peer.is_accepted else 0,
            counted[peer.pk, ForeignState.RECALLED],
        )
        for peer in rows
    ]


def summary(consortium: Consortium | None) -> dict[str, int]:
    """For the page of our own models: how many of other consortia's count, were recalled, are known in all."""
    if consortium is None:
        return {"counting": 0, "recalled": 0, "all": 0}
    rows = ForeignModel.objects.filter(consortium_id=consortium.pk)
    counting = rows.filter(state=ForeignState.RELEASED, peer__is_accepted=True)
    return {
        "counting": counting.count(),
        "recalled": rows.filter(state=ForeignState.RECALLED).count(),
        "all": rows.count(),
    }


def refused_deliveries(consortium: Consortium | None) -> list[OutboxTransaction]:
    """Calls of the inbox that were refused last and may be asked for again, newest first.

    What was asked again and is under way or done is no longer here, nor what the inbox holds already.
    """
    if consortium is None:
        return []
    calls = OutboxTransaction.objects.filter(consortium_id=consortium.pk, organization_id=None, contract=INBOX)
    newest: dict[str, OutboxTransaction] = {}
    for row in calls.defer("arguments", "raw").order_by("-position")[:MOST]:
        newest.setdefault(row.idempotency_key.partition(AGAIN)[0], row)
    failed = [row for row in newest.values() if row.state == TransactionState.FAILED]
    return [row for row in failed if row.error_code not in SETTLED][:MOST_REFUSED]


def steps_of(model: ForeignModel) -> list[Step]:
    """What the peer's chain said, in its order of states, and when that was proven here."""
    said = {one.kind: one for one in model.statements.all()}
    steps = [_step(said[kind]) for kind in ForeignState if kind in said]
    if ForeignState.REGISTERED not in said:
        steps.insert(0, Step(_("Registered"), _("not delivered: its card is not known here"), state="todo", icon="box"))
    return steps


def _step(statement: ForeignStatement) -> Step:
    kind = ForeignState(statement.kind)
    return Step(
        statement.get_kind_display(),
        _("in the peer's block %(n)s") % {"n": f"{int(statement.peer_block):,}"},
        statement.proven_at,
        _("proven in our block %(n)s") % {"n": f"{statement.block:,}"},
        state="failed" if kind is ForeignState.RECALLED else "done",
        icon=_ICONS[kind],
        digest=statement.transaction_hash,
    )


def known_up_to(model: ForeignModel) -> int:
    """The highest block of the peer from which anything is proven here: what it said later is not known."""
    said = ForeignStatement.objects.filter(model__peer_id=model.peer_id).aggregate(Max("peer_block"))
    return max(int(model.peer.proven_height or 0), int(said["peer_block__max"] or 0))


def decisions_of(model: ForeignModel) -> list[dict[str, Any]]:
    """The peer's decisions on it, as its chain names them."""
    kinds = (ForeignState.RELEASED, ForeignState.RECALLED)
    rows = [one for one in model.statements.all() if one.kind in kinds]
    return [{"label": one.get_kind_display(), "decision": one.word} for one in rows]


def votes_on(peer: Peer) -> list[Proposal]:
    """Our own votes on whether the peer counts, newest first."""
    bare = peer.peer.removeprefix("0x")
    asked = Q(kind="set_peer", arguments__icontains=bare)
    return list(Proposal.objects.filter(asked, consortium_id=peer.consortium_id).order_by("-created_at")[:5])
