"""Who wants to hear of which event of the chain."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from consortium.common.correlation import following
from consortium.common.gathering import gathering
from contracts.errors import UnknownSchemaError
from contracts.events import ChainEvent


class Heard(NamedTuple):
    """An event, and the id of the act that asked for its transaction; None where it did not come from here."""

    event: ChainEvent
    correlation_id: str | None


Handler = Callable[[UUID, ChainEvent], None]
ManyHandler = Callable[[UUID, Sequence[Heard]], None]


@dataclass(frozen=True)
class Registration:
    """One handler: of any contract or one, of any form of the event or one, for one event at a time or many."""

    contract: str | None
    schema: str | None
    one: Handler | None = None
    many: ManyHandler | None = None

    def run(self, consortium_id: UUID, heard: Sequence[Heard]) -> None:
        """Handle the events, in their order."""
        if self.many is not None:
            self.many(consortium_id, heard)
        elif self.one is not None:
            for event, correlation_id in heard:
                with following(correlation_id):
                    self.one(consortium_id, event)


_HANDLERS: dict[str, list[Registration]] = {}


def projects(
    event_name: str, *, contract: str | None = None, schema: str | None = None
) -> Callable[[Handler], Handler]:
    """Register a handler `(consortium_id, event)` of an event, of any contract or of the named one.

    It runs as the system, in one transaction with the mark that it ran and with the event's other handlers, in the
    order of the chain: what it writes is written exactly once. Many events may share that transaction: where one
    fails, all of it is undone, and those before the failing one are handled again, one by one. So a handler changes
    the database alone. If it raises, nothing of it stays, its consortium's events wait, and it is tried again. On the
    development chain blocks can be lost and mined anew: what it writes is an upsert by the event's own identifiers.

    Parameters
    ----------
    schema : str, optional
        Hear only events of contracts with these event schemas (`contracts.artifacts.Artifact.schema`); where an
        event is heard in some schemas only, one in another schema stops its stream.
    """

    def register(handler: Handler) -> Handler:
        _add(event_name, Registration(contract, schema, one=handler))
        return handler

    return register


def projects_many(
    *event_names: str, contract: str | None = None, schema: str | None = None
) -> Callable[[ManyHandler], ManyHandler]:
    """Register a handler `(consortium_id, [Heard, ...])` of events that come in numbers.

    It gets its events in the order of the chain, one alone as well, and all before the next event that any handler of
    one event hears; for the rest see `projects`. Events of other handlers of many may lie between them on the chain:
    such a handler reads nothing that another one of them writes. What it records follows each event's own
    correlation id.
    """

    def register(handler: ManyHandler) -> ManyHandler:
        for name in event_names:
            _add(name, Registration(contract, schema, many=handler))
        return handler

    return register


def handlers_of(event: ChainEvent) -> list[Registration]:
    """The handlers of an event, in the order of their registration.

    Raises
    ------
    UnknownSchemaError
        If the event is heard, but not in the form that its contract gives it.
    """
    wanted = [one for one in _HANDLERS.get(event.name, []) if one.contract in (None, event.contract)]
    found = [one for one in wanted if one.schema in (None, event.schema)]
    if wanted and not found:
        known = ", ".join(sorted(one.schema or "" for one in wanted))
        raise UnknownSchemaError(
            f"No handler knows {event.contract}.{event.name} of the schema {event.schema or 'that ships'!r}; known: "
            f"{known}. Install the version of this software that handles it.",
            contract=event.contract,
            schema=event.schema,
        )
    return found


def handle(consortium_id: UUID, heard: Iterable[Heard]) -> None:
    """Run the handlers of events of one consortium, given in the order of the chain.

    What they leave to a `Gathering` is done when the last of them has run.
    """
    with gathering():
        for registrations, together in _together(heard):
            for registration in registrations:
                registration.run(consortium_id, together)


def _together(heard: Iterable[Heard]) -> Iterator[tuple[list[Registration], list[Heard]]]:
    """Events that one call may handle: gathered for each handler of many, up to an event that is by itself."""
    waiting: dict[Registration, list[Heard]] = {}
    for one in heard:
        registrations = handlers_of(one.event)
        if len(registrations) == 1 and registrations[0].many is not None:
            waiting.setdefault(registrations[0], []).append(one)
        elif registrations:
            yield from (([registration], together) for registration, together in waiting.items())
            waiting.clear()
            yield registrations, [one]
    yield from (([registration], together) for registration, together in waiting.items())


def _add(event_name: str, registration: Registration) -> None:
    known = _HANDLERS.setdefault(event_name, [])
    if registration not in known:
        known.append(registration)
