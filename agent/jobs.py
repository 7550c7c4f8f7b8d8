"""The kinds of work that this site does for a consortium, each with its handler."""

import threading
import uuid
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from agent.clock import now, timestamp
from agent.errors import JobRefusedError

if TYPE_CHECKING:
    from agent.client import PlatformClient
    from agent.site import Site

Result = Mapping[str, Any] | bytes
MAX_NONCE_CHARACTERS = 128


@dataclass(frozen=True, slots=True)
class Job:
    """A piece of work in hand. `canceled` is set when it must end; handlers in threads look at it."""

    id: str
    kind: str
    consortium: uuid.UUID
    fence: int
    deadline: datetime
    payload: Mapping[str, Any]
    client: "PlatformClient"
    canceled: threading.Event = field(default_factory=threading.Event)

    @property
    def run(self) -> str:
        """What the fencing number counts for: the run, else the work itself."""
        run = self.payload.get("run")
        return run if type(run) is str and len(run) <= MAX_NONCE_CHARACTERS else self.id


Handler = Callable[[Job, "Site"], Awaitable[Result]]


@dataclass(frozen=True, slots=True)
class Kind:
    """A handler, and whether its work touches the member's data (the kill switch stops what does)."""

    handler: Handler
    touches_data: bool


KINDS: dict[str, Kind] = {}


def handles(kind: str, *, touches_data: bool = True) -> Callable[[Handler], Handler]:
    """Register the coroutine that does one kind of work.

    It returns a JSON object or bytes, or raises `JobRefusedError`. It must be idempotent: after a restart the
    platform hands the same work out again.
    """

    def register(handler: Handler) -> Handler:
        if kind in KINDS:
            raise RuntimeError(f"Two handlers for the work {kind!r}.")
        KINDS[kind] = Kind(handler, touches_data)
        return handler

    return register


@handles("ping", touches_data=False)
async def ping(job: Job, _site: "Site") -> Result:
    """Answer with the nonce that was given and the site's time: the channel works both ways."""
    nonce = job.payload.get("nonce", "")
    if type(nonce) is not str or len(nonce) > MAX_NONCE_CHARACTERS:
        raise JobRefusedError("A ping carries a short text, or none.", reason="malformed_payload")
    return {"nonce": nonce, "time": timestamp(now())}
