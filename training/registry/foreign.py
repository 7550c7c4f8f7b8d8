"""What our CrossConsortiumInbox took: rows of peers and of their models, all of them the events' own.

The contract proved each statement before it said so; nothing is checked here again, and nothing is believed that it
did not say. Ids follow from what the chain names, so that a replay makes the same rows.
"""

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from audit.acts import Actor, Subject
from audit.recorder import record_once
from consortium.kernel.digests import bytes32_to_digest
from consortium.kernel.identifiers import to_hex
from contracts.events import ChainEvent
from contracts.projections import projects
from contracts.reading.read_models import read_model
from training.domain.states import ForeignState
from training.models import ForeignModel, ForeignStatement, Peer

PROJECTOR = Actor.system("projector")
INBOX = "CrossConsortiumInbox"
# What a record's number may be; another chain counts as it likes.
MAX_RECORDED = 2**53 - 1
_OURS = {"created_at": "our clock"}
_ORDER = list(ForeignState)

read_model(
    Peer,
    seeded="false",
    written=(
        *("consortium_id", "peer", "is_accepted", "decided_block", "chain_id", "models_address", "source_address"),
        *("anchor_height", "anchor_hash", "anchor_validators", "opened_block"),
        *("proven_height", "proven_hash", "proven_validators", "proven_block", "proven_at"),
    ),
    ours=_OURS,
)
read_model(
    ForeignModel,
    seeded="false",
    written=("consortium_id", "peer_id", "digest", "state", "card_digest", "proven_block", "proven_at"),
    ours=_OURS,
)
read_model(
    ForeignStatement,
    seeded="false",
    written=(*("consortium_id", "model_id", "kind", "word"), *("peer_block", "block", "transaction_hash", "proven_at")),
    ours=_OURS,
)


@projects("PeerSet", contract="ConsortiumRegistry")
def peer_set(consortium_id: UUID, event: ChainEvent) -> None:
    """The members accepted a peer, or ended that: then nothing of it counts, and what was proven stays proven."""
    is_accepted = bool(event.arguments["isAccepted"])
    peer = _change_peer(consortium_id, event, is_accepted=is_accepted, decided_block=event.block_number)
    _record_of_peer("decide", peer, event, outcome="accepted" if is_accepted else "ended")


@projects("PeerOpened", contract=INBOX)
def peer_opened(consortium_id: UUID, event: ChainEvent) -> None:
    anchor = event.arguments["anchor"]
    peer = _change_peer(
        consortium_id,
        event,
        chain_id=anchor["chainId"],
        models_address=anchor["models"],
        source_address=anchor["source"],
        anchor_height=anchor["height"],
        anchor_hash=to_hex(anchor["blockHash"]),
        anchor_validators=to_hex(anchor["validators"]),
        opened_block=event.block_number,
        **_proven(anchor["height"], anchor["blockHash"], anchor["validators"], event),
    )
    _record_of_peer("open", peer, event, anchor=peer.anchor_hash)


@projects("HeaderProven", contract=INBOX)
def header_proven(consortium_id: UUID, event: ChainEvent) -> None:
    said = event.arguments
    proven = _proven(said["number"], said["blockHash"], said["validators"], event)
    peer = _change_peer(consortium_id, event, **proven)
    _record_of_peer("advance", peer, event, header=peer.proven_hash, validators=peer.proven_validators)


@projects("ForeignModelRegistered", contract=INBOX)
def foreign_model_registered(consortium_id: UUID, event: ChainEvent) -> None:
    card = bytes32_to_digest(event.arguments["card"])
    _take(consortium_id, event, ForeignState.REGISTERED, card=card)


@projects("ForeignModelReleased", contract=INBOX)
def foreign_model_released(consortium_id: UUID, event: ChainEvent) -> None:
    _take(consortium_id, event, ForeignState.RELEASED, decision=to_hex(event.arguments["decision"]))


@projects("ForeignModelRecalled", contract=INBOX)
def foreign_model_recalled(consortium_id: UUID, event: ChainEvent) -> None:
    _take(consortium_id, event, ForeignState.RECALLED, decision=to_hex(event.arguments["decision"]))


def _take(consortium_id: UUID, event: ChainEvent, said: ForeignState, **words: str) -> None:
    model = _move(consortium_id, event, said, card=words.get("card", ""))
    ForeignStatement.objects.update_or_create(
        pk=uuid.uuid5(model.pk, said),
        defaults={
            **{"consortium_id": consortium_id, "model": model, "kind": said, "word": next(iter(words.values()))},
            **{"peer_block": event.arguments["height"], "block": event.block_number, "proven_at": _time(event)},
            "transaction_hash": to_hex(event.transaction_hash),
        },
    )
    _record_of_model(model, event, {"state": str(said), **words})


def _move(consortium_id: UUID, event: ChainEvent, said: ForeignState, *, card: str) -> ForeignModel:
    """The model with what it has become: forward only, since a registration may be delivered after a recall."""
    peer = _change_peer(consortium_id, event)
    digest = bytes32_to_digest(event.arguments["model"])
    seen = {"proven_block": event.block_number, "proven_at": _time(event)}
    model, _ = ForeignModel.objects.get_or_create(
        pk=uuid.uuid5(peer.pk, digest),
        defaults={"consortium_id": consortium_id, "peer": peer, "digest": digest, "state": said, **seen},
    )
    model.state = max(ForeignState(model.state), said, key=_ORDER.index)
    model.card_digest = card or model.card_digest
    model.proven_block, model.proven_at = event.block_number, _time(event)
    model.save(update_fields=["state", "card_digest", "proven_block", "proven_at"])
    return model


def _change_peer(consortium_id: UUID, event: ChainEvent, **values: Any) -> Peer:
    name = to_hex(event.arguments["peer"])
    peer, _ = Peer.objects.update_or_create(
        pk=uuid.uuid5(consortium_id, name), defaults={"consortium_id": consortium_id, "peer": name, **values}
    )
    return peer


def _proven(height: int, block_hash: bytes, validators: bytes, event: ChainEvent) -> dict[str, Any]:
    return {
        **{"proven_height": height, "proven_hash": to_hex(block_hash), "proven_validators": to_hex(validators)},
        **{"proven_block": event.block_number, "proven_at": _time(event)},
    }


def _time(event: ChainEvent) -> datetime:
    return datetime.fromtimestamp(event.block_time, tz=UTC)


def _record_of_peer(act: str, peer: Peer, event: ChainEvent, **data: str) -> None:
    _record(f"model.peer.{act}", peer.consortium_id, Subject("peer", str(peer.pk)), event, data)


def _record_of_model(model: ForeignModel, event: ChainEvent, data: Mapping[str, str]) -> None:
    height = event.arguments["height"]
    at = {"peer_block": height} if height <= MAX_RECORDED else {}
    subject = Subject("foreign_model", str(model.pk))
    _record("model.foreign.prove", model.consortium_id, subject, event, {"digest": model.digest, **data, **at})


def _record(
    action: str, consortium_id: UUID, subject: Subject, event: ChainEvent, data: Mapping[str, str | int]
) -> None:
    named = {"peer": to_hex(event.arguments["peer"]), "block": event.block_number}
    record_once(
        event.key,
        action=action,
        consortium_id=consortium_id,
        actor=PROJECTOR,
        subject=subject,
        data={**named, **data},
    )
