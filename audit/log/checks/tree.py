"""Is the stored tree the one that the records make?"""

from collections.abc import Iterator, Mapping

from django.db import connection

from audit.log.checks.findings import Finding
from audit.models import AuditLog
from consortium.kernel.hashing import HASH_BYTES

Coordinates = tuple[int, int]

# A node of level l is complete with leaf (index + 1) * 2**l - 1: on each level one range of the key.
_STORED = """
SELECT node.level, node.index, node.hash FROM generate_series(0, %(top)s) AS tier
  JOIN audit_treenode AS node ON node.log_id = %(log)s AND node.level = tier
   AND node.index >= %(begin)s::bigint >> tier AND node.index < %(end)s::bigint >> tier
"""
# One statement, so that a log that grows meanwhile is no finding.
_SURPLUS = """
SELECT level, index FROM audit_treenode
 WHERE log_id = %(log)s AND (level NOT BETWEEN 0 AND 62 OR index < 0 OR ((index + 1) << level) > (
       SELECT coalesce(max(index) + 1, 0) FROM audit_auditleaf WHERE log_id = %(log)s))
 ORDER BY level, index LIMIT 100
"""


def stored_nodes(log: AuditLog, begin: int, end: int) -> dict[Coordinates, bytes]:
    """Return the stored nodes that leaves `begin` up to `end` complete."""
    with connection.cursor() as cursor:
        cursor.execute(_STORED, {"top": end.bit_length(), "log": log.pk, "begin": begin, "end": end})
        return {(level, index): bytes(value) for level, index, value in cursor.fetchall()}


def leaf_of(stored: Mapping[Coordinates, bytes], index: int, derived: bytes | None) -> bytes | None:
    """Return the leaf hash to go on with: the stored one, so that one altered record is one finding."""
    value = stored.get((0, index), b"")
    return value if len(value) == HASH_BYTES else derived


def check_nodes(expected: Mapping[Coordinates, bytes], stored: Mapping[Coordinates, bytes]) -> Iterator[Finding]:
    """Yield the nodes that are missing or not what their leaves make."""
    for (level, index), value in sorted(expected.items()):
        begin, end = index << level, (index + 1) << level
        if (level, index) not in stored:
            yield Finding("node_missing", f"The node over leaves {begin} up to {end} is missing.", begin)
        elif stored[level, index] != value:
            yield Finding("node_altered", f"The node over leaves {begin} up to {end} is not what they make.", begin)


def check_surplus(log: AuditLog) -> Iterator[Finding]:
    """Yield stored nodes that no leaf completes: the rest of a tree whose end was cut off."""
    with connection.cursor() as cursor:
        cursor.execute(_SURPLUS, {"log": log.pk})
        rows = cursor.fetchall()
    for level, index in rows:
        begin = index << level if 0 <= level <= 62 else 0
        yield Finding("node_surplus", f"Node {index} of level {level} is there without its leaves.", max(begin, 0))
