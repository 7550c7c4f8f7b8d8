"""Ending the connection to a node that does not belong: taking it off the list does not do that by itself."""

import time
from collections.abc import Callable, Mapping

from contracts.network.asking import Node
from contracts.network.reconciling.changes import Act, Note
from contracts.network.reconciling.sight import read_connected

METHOD = "admin_removePeer"
LOOKS = 4
PAUSE_SECONDS = 0.5


def disconnect(
    operations: Node,
    strangers: Mapping[str, str],
    reasons: Mapping[str, str],
    note: Note,
    *,
    pause: Callable[[float], None] = time.sleep,
) -> frozenset[str]:
    """Disconnect nodes, given as enodes by address, and look whether they are gone.

    The node's word alone tells nothing (`admin_addPeer` of a node that is not permitted answers true all the same),
    so its peers are read until none of them is left.

    Returns
    -------
    The addresses of those that are still connected.
    """
    for address, enode in sorted(strangers.items()):
        because = {enode: reasons.get(address, "")}
        note(Act(METHOD, (enode,), because, "begun"))
        operations.ask(METHOD, [enode])
        note(Act(METHOD, (enode,), because, "done"))
    left = frozenset(strangers)
    for look in range(LOOKS if left else 0):
        if not (left := frozenset(read_connected(operations)) & left):
            break
        if look < LOOKS - 1:
            pause(PAUSE_SECONDS)
    return left
