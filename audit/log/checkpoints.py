"""Checkpoints: the log's signed word on its size and root. They only grow, and each follows from the one before."""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction

from audit.log.errors import EmptyLogError, LogDamagedError
from audit.log.keys import signer_of
from audit.log.locks import lock_log
from audit.log.nodes import log_size, with_nodes
from audit.models import AuditLog, Checkpoint
from consortium.common.tenancy import act_for_all
from consortium.kernel import checkpoints as kernel
from consortium.kernel.errors import NotFoundError
from consortium.kernel.merkle import consistency_proof, root_of


@transaction.atomic
def sign_checkpoint(log: AuditLog, *, witnessed_in: UUID | None = None) -> Checkpoint:
    """Sign the present state of a log; a log that has not grown keeps its last checkpoint.

    `witnessed_in` names the consortium whose members witness an organization's log.

    Raises
    ------
    EmptyLogError
        If it has no leaf.
    LogDamagedError
        If the log shrank, or its tree no longer holds the last checkpoint's root: nothing is signed then.
    """
    with act_for_all():
        lock_log(log)
        size = log_size(log)
        previous = latest_checkpoint(log)
        if size == 0:
            raise EmptyLogError("The log has no leaf yet; there is nothing to sign.")
        if previous is not None:
            _require_growth(log, previous, size)
            if previous.size == size:
                return previous
        return _sign(log, size, previous, log.consortium_id or witnessed_in)


def latest_checkpoint(log: AuditLog) -> Checkpoint | None:
    """Return the last checkpoint, None before the first."""
    return Checkpoint.objects.filter(log=log).order_by("-size").first()


def checkpoints_since(log_id: UUID, size: int) -> list[Checkpoint]:
    """Return the checkpoints after `size`, oldest first: each one's consistency proof starts at the one before.

    What a witness needs to follow a log that it cannot read. It starts at the size it signed last, or at 0.

    Raises
    ------
    NotFoundError
        If the log never had a checkpoint of that size.
    """
    if size and not Checkpoint.objects.filter(log_id=log_id, size=size).exists():
        raise NotFoundError(f"There is no checkpoint of {size} leaves. Start from one that this log has signed.")
    return list(Checkpoint.objects.filter(log_id=log_id, size__gt=size).order_by("size"))


def _require_growth(log: AuditLog, previous: Checkpoint, size: int) -> None:
    if size < previous.size:
        raise LogDamagedError(
            f"{log.origin} shrank from {previous.size} to {size} leaves. Run `manage.py auditlog fsck`."
        )
    if with_nodes(log, lambda nodes: root_of(previous.size, nodes)) != bytes(previous.root):
        raise LogDamagedError(
            f"The tree of {log.origin} no longer holds its checkpoint of {previous.size} leaves. "
            "Run `manage.py auditlog fsck`."
        )


def _sign(log: AuditLog, size: int, previous: Checkpoint | None, consortium_id: UUID | None) -> Checkpoint:
    root = with_nodes(log, lambda nodes: root_of(size, nodes))
    first = 0 if previous is None else previous.size
    proof: Sequence[bytes] = with_nodes(log, lambda nodes: consistency_proof(first, size, nodes)) if first else ()
    signer = signer_of(log)
    note = kernel.sign_checkpoint(kernel.Checkpoint(log.origin, size, root), [signer])
    return Checkpoint.objects.create(
        log=log,
        consortium_id=consortium_id,
        size=size,
        root=root,
        note=note,
        key=str(signer.key),
        previous_size=first,
        consistency=[value.hex() for value in proof],
    )
