"""What has to be sent, and in which order, so that this consortium knows what another one's transaction decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from consortium.kernel.errors import ConflictError, InvalidInputError
from contracts.crosschain.anchors import Anchor
from contracts.crosschain.deliveries import EventPlace, ProvenChain, advance_arguments, deliver_arguments
from contracts.events import ChainEvent, ContractReference, Receipt
from contracts.interface import Chain

# What the contract takes at once.
MAX_HEADERS = 64


class PeerNotOpenError(ConflictError):
    """The peer's history has not begun here: the members vote for its anchor, then it is opened."""

    code = "peer_not_open"


class TooFarBackError(ConflictError):
    """The event is older than what can be linked to a proven block in one call."""

    code = "event_too_far_back"


class ForeignChain(ProvenChain, Protocol):
    """The other consortium's chain, by a node of it (`EvidenceGateway`)."""

    def receipt(self, transaction_hash: bytes) -> Receipt | None: ...

    def call(self, contract: ContractReference, function: str, *arguments: Any, block: int | None = None) -> Any: ...

    def logs(self, contracts: Sequence[ContractReference], from_block: int, to_block: int) -> list[ChainEvent]: ...


@dataclass(frozen=True)
class InboxCall:
    """One call of the inbox; `key` names it among the consortium's calls."""

    function: str
    arguments: tuple[Any, ...]
    key: str


def calls_to_deliver(
    foreign: ForeignChain, home: Chain, inbox: ContractReference, anchor: Anchor, transaction_hash: bytes
) -> list[InboxCall]:
    """The changes of validators since what is proven here, then the transaction's messages, in order.

    Raises
    ------
    PeerNotOpenError, TooFarBackError
    InvalidInputError
        If the transaction is not on that chain, or holds no event of its ModelRegistry.
    """
    known = home.call(inbox, "peerOf", anchor.peer)
    if not any(known["validators"]):
        raise PeerNotOpenError("The peer is not open here. Vote for its anchor (SetPeer), then `chain peer open`.")
    places = _places(foreign, anchor, transaction_hash)
    block, height = places[0].block, int(known["height"])
    changes = _changes(foreign, anchor, height, block)
    advances = [_advance(foreign, anchor, number) for number in changes]
    return [*advances, *(_delivery(foreign, anchor, place, max([height, *changes])) for place in places)]


def _places(foreign: ForeignChain, anchor: Anchor, transaction_hash: bytes) -> list[EventPlace]:
    receipt = foreign.receipt(transaction_hash)
    if receipt is None:
        raise InvalidInputError("The other chain's node does not have this transaction. Is it the right node?")
    rows = foreign.block_receipts(receipt.block_number)
    index = next(i for i, row in enumerate(rows) if bytes.fromhex(row["transactionHash"][2:]) == transaction_hash)
    emitters = [log["address"].lower() for log in rows[index]["logs"]]
    found = [i for i, emitter in enumerate(emitters) if emitter == anchor.models.lower()]
    if not found:
        raise InvalidInputError("The transaction holds no event of the other consortium's ModelRegistry.")
    return [EventPlace(receipt.block_number, index, place) for place in found]


def _changes(foreign: ForeignChain, anchor: Anchor, height: int, block: int) -> list[int]:
    """Blocks in which the set changed, above what is proven and below the event's own, which the old set seals."""
    if block <= height + 1:
        return []
    events = foreign.logs([_source(anchor)], height + 1, block - 1)
    return sorted({event.block_number for event in events if event.name == "ValidatorsReplaced"})


def _advance(foreign: ForeignChain, anchor: Anchor, number: int) -> InboxCall:
    arguments = advance_arguments(foreign, anchor.peer, anchor.source, number, _in_force(foreign, anchor, number))
    return InboxCall("advance", arguments, f"peer:{anchor.peer.hex()}:advance:{number}")


def _delivery(foreign: ForeignChain, anchor: Anchor, place: EventPlace, proven: int) -> InboxCall:
    last = max(place.block, proven)
    key = f"peer:{anchor.peer.hex()}:{place.block}:{place.transaction_index}:{place.log_index}:{last}"
    if place.block > proven:
        members = _in_force(foreign, anchor, place.block)
        return InboxCall("deliver", deliver_arguments(foreign, anchor.peer, place, members), key)
    if proven - place.block >= MAX_HEADERS:
        raise TooFarBackError(
            f"The event lies in block {place.block}, and block {proven} is proven here: more than {MAX_HEADERS} "
            "headers lie between. Let the other members vote for an anchor before it."
        )
    return InboxCall("deliver", deliver_arguments(foreign, anchor.peer, place, [], up_to=proven), key)


def _in_force(foreign: ForeignChain, anchor: Anchor, number: int) -> list[str]:
    """Who seals a block: the list in the state of its parent."""
    return list(foreign.call(_source(anchor), "getValidators", block=number - 1))


def _source(anchor: Anchor) -> ContractReference:
    return ContractReference("ValidatorSource", anchor.source)
