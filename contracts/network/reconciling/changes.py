"""Changing a node's allow-list by calls that are all or nothing and not idempotent.

All entries go in one call. One that the node refuses for good is found by halves, so that the others are done.
Where somebody else was first, the rest of the call is left: the list is read again and compared anew.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from contracts.errors import PermissionsRefusal, PermissionsRefusedError
from contracts.network.asking import Node

_RACED = (PermissionsRefusal.ALREADY_THERE, PermissionsRefusal.ABSENT)
# Nothing that is about an entry: the node takes no change at all, or does not keep it over a restart.
_OF_THE_NODE = (PermissionsRefusal.NOT_ENABLED, PermissionsRefusal.NOT_WRITTEN)


@dataclass(frozen=True, slots=True)
class Act:
    """One call: which, on which entries, why; `outcome` is begun, done or refused."""

    method: str
    entries: tuple[str, ...]
    reasons: Mapping[str, str]
    outcome: str
    refusal: str = ""


Note = Callable[[Act], None]


@dataclass
class Changed:
    """What a change came to: `refused` by entry, with the node's reason; `is_raced` if somebody else was first."""

    done: list[str] = field(default_factory=list)
    refused: dict[str, PermissionsRefusal] = field(default_factory=dict)
    is_raced: bool = False


def change(operations: Node, method: str, entries: Sequence[str], reasons: Mapping[str, str], note: Note) -> Changed:
    """Call a `perm_*` method for entries, each once.

    Every call is noted before it is made and after it, so that a kill between leaves on record what was meant.

    Raises
    ------
    ChainError
        If the node does not answer, has no such list, or cannot write its file.
    """
    changed = Changed()
    waiting = [tuple(entries)] if entries else []
    while waiting and not changed.is_raced:
        batch = waiting.pop(0)
        refusal = _call(operations, method, batch, {one: reasons.get(one, "") for one in batch}, note)
        if refusal is None:
            changed.done += batch
        elif refusal in _RACED:
            changed.is_raced = True
        elif len(batch) == 1:
            changed.refused[batch[0]] = refusal
        else:
            middle = len(batch) // 2
            waiting = [batch[:middle], batch[middle:], *waiting]
    return changed


def _call(
    operations: Node, method: str, batch: tuple[str, ...], reasons: Mapping[str, str], note: Note
) -> PermissionsRefusal | None:
    note(Act(method, batch, reasons, "begun"))
    try:
        operations.ask(method, [list(batch)])
    except PermissionsRefusedError as error:
        note(Act(method, batch, reasons, "refused", str(error.kind)))
        if error.kind in _OF_THE_NODE:
            raise
        return error.kind
    note(Act(method, batch, reasons, "done"))
    return None
