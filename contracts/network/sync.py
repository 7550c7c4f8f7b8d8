"""Is a node that does not validate yet up and in sync, as another node sees it?

A validator that is not up counts against the quorum from its first block on, so nobody activates one
unseen: the platform asks its own nodes before it relays such a proposal, and each voter's agent asks its
member's node, so that the two thirds who vote are two thirds whose nodes have seen it.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any

from consortium.kernel.errors import ConsiliumError
from contracts.network.asking import Node
from contracts.network.headers import read_header
from contracts.network.peers import own_enode, read_peers
from contracts.network.points import Point, State

# A peer announces blocks that it takes, but not each of them to everybody; from eth/69 on it tells its range of
# blocks at least every 32 (EIP-7642). Twice that is still far less than what a syncing node lacks.
MAX_ANNOUNCED_LAG_BLOCKS = 64
# Our own node's head must be young, or it knows nothing about being in sync.
MAX_OWN_AGE_SECONDS = 60
# A peer may announce a block that our node gets a moment later.
LOOKS = 3
PAUSE_SECONDS = 0.5
NAME = "sync"


def seen_in_sync(
    validator: str,
    operations: Node | None,
    *,
    now: float | None = None,
    pause: Callable[[float], None] = time.sleep,
) -> Point:
    """Say whether this node sees the validator's node connected and in sync; nothing is raised.

    Parameters
    ----------
    validator : address
        As the registry lists it; the peer's public key has to give this address.
    operations : Node
        The operations port of the node that looks; None where it is not within reach.
    """
    if operations is None:
        remedy = "Name the node's operations port (ws://127.0.0.1:8546 on its own machine)."
        return Point(NAME, State.UNKNOWN, "Who is connected to this node cannot be seen.", remedy)
    try:
        if own_enode(operations).address.lower() == validator.lower():
            return Point(NAME, State.UNKNOWN, "It is this very node; others have to see it.")
        return _look_again(lambda: _look(validator, operations, time.time() if now is None else now), pause)
    except ConsiliumError as error:
        return Point(NAME, State.UNKNOWN, error.message, "Make this node answer, then look again.")


def _look_again(look: Callable[[], Point], pause: Callable[[float], None]) -> Point:
    found = look()
    for _ in range(LOOKS - 1):
        if found.state is not State.WAITING:
            break
        pause(PAUSE_SECONDS)
        found = look()
    return found


def _look(validator: str, operations: Node, now: float) -> Point:
    head = read_header(operations, "latest")
    height, age = int(head["number"], 16), max(0, int(now) - int(head["timestamp"], 16))
    if age > MAX_OWN_AGE_SECONDS:
        text = f"This node's own newest block is {age} s old, so it cannot tell who is in sync."
        return Point(NAME, State.UNKNOWN, text, "Bring this node up to date first.", {"age_seconds": age})
    peer = next((p for p in read_peers(operations) if p.address.lower() == validator.lower()), None)
    if peer is None:
        text = f"The node of {validator} is not connected to this one."
        return Point(NAME, State.WRONG, text, "Is it up, and on this node's allow-list?", {"connected": False})
    return _judge(operations.ask("eth_getBlockByHash", [peer.announced, False]), height)


def _judge(announced: Mapping[str, Any] | None, height: int) -> Point:
    if announced is None:
        text = "It is connected, and announces a block that this node does not have."
        return Point(NAME, State.WAITING, text, "Look again in a moment.", {"connected": True})
    lag = max(0, height - int(announced["number"], 16))
    figures = {"connected": True, "announced_lag_blocks": lag}
    if lag > MAX_ANNOUNCED_LAG_BLOCKS:
        text = f"It is connected, and announced a block {lag} behind: it is not in sync."
        return Point(NAME, State.WRONG, text, "Wait until it has read the chain, then look again.", figures)
    return Point(NAME, State.WELL, f"It is connected and in sync: it announced a block {lag} behind.", figures=figures)
