"""Waiting for what the site's own node, or its own consents, will show in a moment."""

import threading
from collections.abc import Callable
from typing import TypeVar

from agent.consents.errors import AnchorOnItsWayError
from agent.training.errors import NotYetError
from contracts.errors import ChainUnavailableError

_T = TypeVar("_T")
# A block comes each second; asking a few times a block costs the node next to nothing.
LOOK_SECONDS = 0.15
_PASSING = (NotYetError, AnchorOnItsWayError, ChainUnavailableError)


def patiently(look: Callable[[], _T], canceled: threading.Event) -> _T:
    """Return what `look` returns, trying again while it says that it will pass, until the work is called off.

    Raises
    ------
    NotYetError, AnchorOnItsWayError, ChainUnavailableError
        The last one, if the work was called off meanwhile.
    """
    while True:
        try:
            return look()
        except _PASSING:
            if canceled.wait(LOOK_SECONDS):
                raise
