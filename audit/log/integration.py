"""From records to leaves: every record gets its place in the tree, in the order of recording."""

import uuid
from collections.abc import Sequence
from itertools import chain

from django.db import connection, transaction

from audit.log.locks import lock_log
from audit.log.nodes import frontier_of, log_size
from audit.models import AuditLog
from consortium.common.tenancy import act_for_all
from consortium.kernel.merkle import Node, leaf_hash

# Records a transaction: about a second of work, so that a kill loses little and a lock is short.
BATCH = 5_000

_PENDING = """
SELECT record.id, record.canonical FROM audit_pendingrecord AS pending
  JOIN audit_auditrecord AS record ON record.id = pending.record_id
 WHERE pending.log_id = %s ORDER BY record.recorded_at, record.id LIMIT %s
"""
_LEAVES = """
INSERT INTO audit_auditleaf (log_id, index, record_id) SELECT %s, * FROM unnest(%s::bigint[], %s::uuid[])
"""
_NODES = """
INSERT INTO audit_treenode (log_id, level, index, hash)
SELECT %s, * FROM unnest(%s::smallint[], %s::bigint[], %s::bytea[])
"""
_DONE = "DELETE FROM audit_pendingrecord WHERE record_id = ANY(%s)"


def integrate(log: AuditLog) -> int:
    """Give every waiting record of a log its leaf; return how many there were.

    Each batch is one transaction under the log's lock: a kill leaves whole batches only, and two
    processes at once neither skip nor double a record.

    Raises
    ------
    WrongDatabaseRoleError
        If the process is not connected as the system's role.
    """
    total = 0
    while integrated := _integrate_batch(log):
        total += integrated
        if integrated < BATCH:
            break
    return total


def integrate_all() -> int:
    """Integrate every log that has waiting records; return how many records there were."""
    with transaction.atomic(), act_for_all():
        waiting = list(
            AuditLog.objects.raw("SELECT * FROM audit_auditlog WHERE id IN (SELECT log_id FROM audit_pendingrecord)")
        )
    return sum(integrate(log) for log in waiting)


@transaction.atomic
def _integrate_batch(log: AuditLog) -> int:
    with act_for_all():
        lock_log(log)
        waiting = _waiting(log)
        if waiting:
            _grow(log, waiting)
    return len(waiting)


def _waiting(log: AuditLog) -> list[tuple[uuid.UUID, bytes]]:
    with connection.cursor() as cursor:
        cursor.execute(_PENDING, [log.pk, BATCH])
        return [(identifier, leaf_hash(bytes(canonical))) for identifier, canonical in cursor.fetchall()]


def _grow(log: AuditLog, waiting: Sequence[tuple[uuid.UUID, bytes]]) -> None:
    first = log_size(log)
    frontier = frontier_of(log, first)
    records = [identifier for identifier, _ in waiting]
    nodes = list(chain.from_iterable(frontier.append(leaf) for _, leaf in waiting))
    with connection.cursor() as cursor:
        cursor.execute(_LEAVES, [log.pk, list(range(first, frontier.size)), records])
        cursor.execute(_NODES, [log.pk, *_columns(nodes)])
        cursor.execute(_DONE, [records])


def _columns(nodes: Sequence[Node]) -> tuple[list[int], list[int], list[bytes]]:
    return [node.level for node in nodes], [node.index for node in nodes], [node.hash for node in nodes]
