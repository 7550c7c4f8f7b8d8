"""What a CrossConsortiumInbox says, as the projector hands it on: one peer, one model, blocks of both chains."""

from typing import Any
from uuid import UUID

from contracts.events import ChainEvent
from contracts.projections import Heard, handle
from tests.factories.membership import World

PEER, MODEL, CARD, RELEASE, RECALL = (bytes([number]) * 32 for number in (0xA1, 0xA2, 0xA3, 0xA4, 0xA5))
ANCHOR = {
    **{"chainId": 2**64 - 1, "models": "0x" + "b1" * 20, "source": "0x" + "b2" * 20, "digestSlot": 1, "height": 5},
    **{"blockHash": b"\xb3" * 32, "validators": b"\xb4" * 32},
}
TIME = 1_795_000_000


def event(name: str, block: int, **arguments: Any) -> ChainEvent:
    contract = "ConsortiumRegistry" if name == "PeerSet" else "CrossConsortiumInbox"
    return ChainEvent(
        name=name,
        contract=contract,
        address="0x" + "c1" * 20,
        arguments={"peer": PEER, **arguments},
        block_number=block,
        block_hash=bytes([block]) * 32,
        block_time=TIME + block,
        transaction_hash=bytes([0xD0 + block % 16]) * 32,
        log_index=0,
        transaction_log_index=0,
    )


def accepted(block: int = 1, *, accepted: bool = True) -> ChainEvent:
    return event("PeerSet", block, isAccepted=accepted)


def opened(block: int = 2) -> ChainEvent:
    return event("PeerOpened", block, anchor=ANCHOR)


def advanced(block: int = 3, number: int = 9) -> ChainEvent:
    return event("HeaderProven", block, number=number, blockHash=b"\xe1" * 32, validators=b"\xe2" * 32)


def registered(block: int = 4, height: int = 7) -> ChainEvent:
    return event("ForeignModelRegistered", block, model=MODEL, card=CARD, height=height)


def released(block: int = 5, height: int = 8) -> ChainEvent:
    return event("ForeignModelReleased", block, model=MODEL, decision=RELEASE, height=height)


def recalled(block: int = 6, height: int = 12) -> ChainEvent:
    return event("ForeignModelRecalled", block, model=MODEL, decision=RECALL, height=height)


def tell(world: World, *events: ChainEvent) -> None:
    tell_to(world.consortium.pk, *events)


def tell_to(consortium: UUID, *events: ChainEvent) -> None:
    handle(consortium, [Heard(one, None) for one in events])
