"""Who wants to hear of which event of the chain."""

from collections.abc import Callable
from uuid import UUID

from contracts.events import ChainEvent

Handler = Callable[[UUID, ChainEvent], None]
_HANDLERS: dict[str, list[tuple[str | None, Handler]]] = {}


def projects(event_name: str, *, contract: str | None = None) -> Callable[[Handler], Handler]:
    """Register a handler `(consortium_id, event)` of an event, of any contract or of the named one.

    It runs as the system, exactly once for an event, in one transaction with the mark that it ran
    and with the event's other handlers, in the order of the chain. If it raises, nothing of it
    stays, its consortium's events wait, and it is tried again. On the development chain blocks can
    be lost and mined anew: what it writes is an upsert by the event's own identifiers.
    """

    def register(handler: Handler) -> Handler:
        known = _HANDLERS.setdefault(event_name, [])
        if (contract, handler) not in known:
            known.append((contract, handler))
        return handler

    return register


def handlers_of(event: ChainEvent) -> list[Handler]:
    """The handlers of an event, in the order of their registration."""
    return [handler for contract, handler in _HANDLERS.get(event.name, []) if contract in (None, event.contract)]
