"""Ask for a call of a contract in the transaction that needs it, and hear of its outcome."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.db import connection

from consortium.common.api import ensure_atomic
from consortium.common.correlation import correlation_id
from consortium.kernel.errors import ConflictError
from contracts.models import OutboxTransaction
from contracts.values import to_json

# The dispatcher listens here; the database tells it when the asking transaction commits.
CHANNEL = "consilium_outbox"

OutcomeHandler = Callable[[OutboxTransaction], None]
_OUTCOME_HANDLERS: dict[str, OutcomeHandler] = {}


class IdempotencyKeyReusedError(ConflictError):
    """The key stands for another call already; a new intent needs a new key."""

    code = "idempotency_key_reused"


def enqueue(
    *,
    consortium_id: UUID,
    contract: str,
    function: str,
    arguments: Sequence[Any],
    idempotency_key: str,
    organization_id: UUID | None = None,
    only_sender: str = "",
) -> OutboxTransaction:
    """Ask for `contract.function(*arguments)`, once for each key however often it is asked.

    Parameters
    ----------
    arguments : bytes, int, bool, str, and lists and dicts (structs) of them
        As `contracts.gateway.Gateway.encode` takes them.
    idempotency_key : str
        Names the intent within the consortium, as "kind:id"; handlers of outcomes are found by the kind.
    organization_id : UUID, optional
        The author; a member's process may write its own rows only, and the system writes rows of nobody.
    only_sender : address, optional
        The relay account that alone may send it; for the system alone.

    Returns
    -------
    OutboxTransaction
        The row; for a key that was used before with the same call, the row that is there, however far
        it has come.

    Raises
    ------
    RuntimeError
        Outside a transaction: the call and what it stands for are kept together or not at all.
    IdempotencyKeyReusedError
        If the key stands for another call.
    """
    ensure_atomic()
    wanted = OutboxTransaction(
        consortium_id=consortium_id,
        organization_id=organization_id,
        contract=contract,
        function=function,
        arguments=[to_json(argument) for argument in arguments],
        idempotency_key=idempotency_key,
        correlation_id=correlation_id(),
        only_sender=only_sender,
    )
    OutboxTransaction.objects.bulk_create([wanted], ignore_conflicts=True)
    found = OutboxTransaction.objects.get(consortium_id=consortium_id, idempotency_key=idempotency_key)
    if not _is_same_call(found, wanted):
        raise IdempotencyKeyReusedError(
            f"The key {idempotency_key!r} stands for another call already. Use a key of its own for each intent.",
            idempotency_key=idempotency_key,
        )
    with connection.cursor() as cursor:
        cursor.execute(f"NOTIFY {CHANNEL}")
    return found


def on_outcome(prefix: str) -> Callable[[OutcomeHandler], OutcomeHandler]:
    """Register what happens when a transaction whose key starts with "PREFIX:" is confirmed or failed.

    The handler runs as the system, in one transaction with the mark that it ran. It raises to be
    called again later. On the development chain a transaction can be mined anew after a kill: the
    handler is called again then, and has to bear it.
    """

    def register(handler: OutcomeHandler) -> OutcomeHandler:
        if _OUTCOME_HANDLERS.setdefault(prefix, handler) is not handler:
            raise RuntimeError(f"Outcomes of {prefix!r} have a handler already.")
        return handler

    return register


def outcome_handler(transaction: OutboxTransaction) -> OutcomeHandler | None:
    """The handler registered for the transaction's key, if any."""
    return _OUTCOME_HANDLERS.get(transaction.idempotency_key.partition(":")[0])


def _is_same_call(found: OutboxTransaction, wanted: OutboxTransaction) -> bool:
    if _target(found) != _target(wanted):
        return False
    if found.contents_dropped_at is not None:
        return found.arguments_digest == wanted.digest
    return bool(found.arguments == wanted.arguments)


def _target(row: OutboxTransaction) -> tuple[Any, ...]:
    return (row.organization_id, row.contract, row.function)
