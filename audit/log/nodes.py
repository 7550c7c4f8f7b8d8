"""The tree as the database stores it; one query for all the nodes that a proof needs."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from django.db import connection

from audit.log.errors import LogDamagedError
from audit.log.frontier import Frontier
from audit.models import AuditLog
from consortium.kernel.hashing import HASH_BYTES
from consortium.kernel.merkle import NodeStore

Result = TypeVar("Result")
Coordinates = tuple[int, int]

_SELECT = """
SELECT level, index, hash FROM audit_treenode JOIN unnest(%s::smallint[], %s::bigint[]) AS wanted (level, index)
 USING (level, index) WHERE log_id = %s
"""


def log_size(log: AuditLog) -> int:
    """Return the number of leaves."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(index) + 1, 0) FROM audit_auditleaf WHERE log_id = %s", [log.pk])
        row = cursor.fetchone()
    return int(row[0])


def frontier_of(log: AuditLog, size: int) -> Frontier:
    """Return the right edge of the stored tree at a size."""
    stored = read_nodes(log, Frontier.coordinates(size))
    return Frontier(size, {level: value for (level, _), value in stored.items()})


def with_nodes(log: AuditLog, compute: Callable[[NodeStore], Result]) -> Result:
    """Compute from stored nodes: a first pass learns which ones are needed, one query reads them."""
    wanted = _Wanted()
    compute(wanted)
    return compute(_Read(read_nodes(log, wanted.coordinates)))


def read_nodes(log: AuditLog, coordinates: Iterable[Coordinates]) -> dict[Coordinates, bytes]:
    """Return the hashes of these nodes.

    Raises
    ------
    LogDamagedError
        If one is missing or is not a hash.
    """
    wanted = sorted(set(coordinates))
    with connection.cursor() as cursor:
        cursor.execute(_SELECT, [[level for level, _ in wanted], [index for _, index in wanted], log.pk])
        found = {(level, index): bytes(value) for level, index, value in cursor.fetchall()}
    for level, index in wanted:
        if len(found.get((level, index), b"")) != HASH_BYTES:
            raise LogDamagedError(
                f"Node {index} of level {level} is missing in {log.origin}. Run `manage.py auditlog fsck`."
            )
    return found


class _Wanted:
    """A store that has nothing and remembers what it was asked for."""

    def __init__(self) -> None:
        self.coordinates: list[Coordinates] = []

    def get(self, level: int, index: int) -> bytes:
        self.coordinates.append((level, index))
        return bytes(HASH_BYTES)


class _Read:
    def __init__(self, hashes: dict[Coordinates, bytes]) -> None:
        self._hashes = hashes

    def get(self, level: int, index: int) -> bytes:
        return self._hashes[level, index]
