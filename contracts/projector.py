"""From the chain to the read models: every event stored, then handled exactly once, in the chain's order.

Each consortium has a stream of its own: a cursor that says how far was read, and its events. A
handler that fails stops its own stream alone, is tried again after a pause, and shows in the
health checks. Two projectors may run at once: whoever holds a cursor's row reads that stream,
whoever holds its mark's row applies what is read, so that two share the work on one long stream.
"""

from dataclasses import dataclass
from uuid import UUID

from consortium.common import heartbeat
from contracts.chain import chain_from_settings
from contracts.errors import ChainError, UnknownSchemaError
from contracts.interface import Chain
from contracts.models import ChainCursor, ChainEventRecord
from contracts.projections import projects, projects_many
from contracts.reading.applying import apply_next
from contracts.reading.streams import read_window, start_projection

__all__ = ["ProjectReport", "apply_next", "project_once", "projects", "projects_many", "start_projection"]


@dataclass
class ProjectReport:
    """What one pass did; `failed` counts streams that stand still: a handler failed, or events cannot be read."""

    applied: int = 0
    failed: int = 0


def project_once(chain: Chain | None = None) -> ProjectReport:
    """Read and apply what is new for every consortium, as the system's database role.

    Raises
    ------
    ChainError
        After the other streams had their turn: retryable where the node failed; `ChainRewoundError`
        where blocks are gone that must not go.
    """
    door = chain or chain_from_settings()
    report, fault = ProjectReport(), None
    for consortium_id in ChainCursor.objects.order_by("pk").values_list("pk", flat=True):
        is_readable = True
        try:
            door.check_chain()
            while read_window(door, consortium_id):
                report.applied += _apply_all(consortium_id)
        except UnknownSchemaError:
            # Said on the cursor: this stream waits for another version of the software, the others do not.
            is_readable = False
        except ChainError as error:
            # What is stored is applied all the same; a fault that needs a person outranks one that passes.
            fault = error if fault is None or fault.retryable else fault
        report.applied += _apply_all(consortium_id)
        report.failed += not is_readable or _stands_still(consortium_id)
    if fault is not None:
        raise fault
    return report


def _apply_all(consortium_id: UUID) -> int:
    """Apply what is stored; return how many events."""
    total = 0
    while (applied := apply_next(consortium_id)).may_go_on:
        # A long history takes longer than probes wait for a sign of life.
        heartbeat.beat()
        total += applied.events
    return total + applied.events


def _stands_still(consortium_id: UUID) -> bool:
    return ChainEventRecord.objects.filter(consortium_id=consortium_id, retry_at__isnull=False).exists()
