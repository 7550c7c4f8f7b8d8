"""How far a consortium's events have been read, and the events themselves as the chain gave them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Final, Self
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from consortium.common.models import UuidModel
from contracts.events import ChainEvent
from contracts.values import from_json, to_json


class ChainCursor(models.Model):
    """The last block whose events are stored; its row is the lock of whoever reads on."""

    consortium_id = models.UUIDField(_("consortium"), primary_key=True)
    first_block = models.PositiveBigIntegerField(_("first block"))
    # One below `first_block` until anything was read.
    position = models.BigIntegerField(_("block"))
    block_hash = models.BinaryField(_("hash of the block"), default=b"")
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    halted_text = models.TextField(_("why it was halted"), blank=True, default="")

    class Meta:
        verbose_name = _("cursor")
        verbose_name_plural = _("cursors")

    def __str__(self) -> str:
        return f"{self.consortium_id} at {self.position}"


class AppliedMark(models.Model):
    """The place on the chain up to which a consortium's events are applied; its row is the lock of whoever applies.

    It moves on in the transaction of the events' handlers, so an event is applied exactly once, and nothing is
    written to the events themselves. It is no part of the cursor: one process reads while another one applies.
    """

    # Before any block.
    NOWHERE: Final = -1

    consortium_id = models.UUIDField(_("consortium"), primary_key=True)
    block_number = models.BigIntegerField(_("block"), default=NOWHERE)
    log_index = models.BigIntegerField(_("place in the block"), default=NOWHERE)

    class Meta:
        verbose_name = _("mark of what is applied")
        verbose_name_plural = _("marks of what is applied")

    def __str__(self) -> str:
        return f"{self.consortium_id} applied to {self.block_number}.{self.log_index}"

    @property
    def place(self) -> tuple[int, int]:
        return self.block_number, self.log_index


class ChainEventQuerySet(models.QuerySet["ChainEventRecord"]):
    """Events in the chain's order."""

    def after(self, place: tuple[int, int]) -> Self:
        """Those behind a place (block, place in the block)."""
        block, index = place
        # The first condition alone is one range of the index `events_in_order`.
        return self.filter(block_number__gte=block).exclude(block_number=block, log_index__lte=index)

    def applied(self, mark: AppliedMark) -> Self:
        """Those of the mark's stream that were handed to their handlers."""
        of_stream = self.filter(consortium_id=mark.consortium_id, is_late=False, block_number__lte=mark.block_number)
        return of_stream.exclude(block_number=mark.block_number, log_index__gt=mark.log_index)

    def waiting(self, mark: AppliedMark) -> Self:
        """Those of the mark's stream that were not, the late ones not among them."""
        return self.filter(consortium_id=mark.consortium_id).after(mark.place)

    def late(self, consortium_id: UUID) -> Self:
        """Those that were stored behind the mark, and wait."""
        return self.filter(consortium_id=consortium_id, is_late=True)


class ChainEventRecord(UuidModel):
    """One event; the stream's `AppliedMark` says whether it was applied.

    Known by its transaction and its place in it, which stay the same when a development chain mines
    the same bytes again in another block.
    """

    consortium_id = models.UUIDField(_("consortium"))
    name = models.CharField(_("event"), max_length=100)
    contract = models.CharField(_("contract"), max_length=60)
    address = models.CharField(_("address"), max_length=42)
    schema = models.CharField(_("schema of the contract's events"), max_length=16, blank=True, default="")
    arguments = models.JSONField(_("arguments"), default=dict)
    topics = models.JSONField(_("topics"), default=list)
    data = models.BinaryField(_("data"), default=b"")
    block_number = models.PositiveBigIntegerField(_("block"))
    block_hash = models.CharField(_("hash of the block"), max_length=66)
    block_time = models.PositiveBigIntegerField(_("time of the block"))
    transaction_hash = models.CharField(_("transaction"), max_length=66)
    log_index = models.PositiveIntegerField(_("place in the block"))
    transaction_log_index = models.PositiveIntegerField(_("place in the transaction"))
    # Read when the mark was behind it already, since its contract joined the stream later: it is applied all the same.
    is_late = models.BooleanField(_("came behind the mark"), default=False)
    attempts = models.PositiveIntegerField(_("failed attempts"), default=0)
    retry_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    failed_text = models.TextField(_("failure"), blank=True, default="")

    objects = ChainEventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["block_number", "log_index"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["transaction_hash", "transaction_log_index"], name="event_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["consortium_id", "block_number", "log_index"], name="events_in_order"),
            models.Index(
                fields=["consortium_id", "block_number", "log_index"],
                condition=models.Q(is_late=True),
                name="events_late",
            ),
            # An event that failed waits for its next attempt until it is applied.
            models.Index(fields=["consortium_id"], condition=models.Q(retry_at__isnull=False), name="events_failed"),
        ]

    def __str__(self) -> str:
        return f"{self.contract}.{self.name} in block {self.block_number}"

    @classmethod
    def of(cls, consortium_id: Any, event: ChainEvent) -> "ChainEventRecord":
        """The row of an event, not saved."""
        return cls(
            consortium_id=consortium_id,
            name=event.name,
            contract=event.contract,
            address=event.address,
            schema=event.schema,
            arguments={name: to_json(value) for name, value in event.arguments.items()},
            topics=["0x" + topic.hex() for topic in event.topics],
            data=event.data,
            block_number=event.block_number,
            block_hash="0x" + event.block_hash.hex(),
            block_time=event.block_time,
            transaction_hash="0x" + event.transaction_hash.hex(),
            log_index=event.log_index,
            transaction_log_index=event.transaction_log_index,
        )

    @property
    def place(self) -> tuple[int, int]:
        return self.block_number, self.log_index

    @property
    def event(self) -> ChainEvent:
        """The event as the chain gave it."""
        said = event_of(self.arguments, *(getattr(self, name) for name in SAID))
        topics = tuple(bytes.fromhex(topic[2:]) for topic in self.topics)
        return replace(said, topics=topics, data=bytes(self.data))


# The columns that `event_of` takes beside the arguments, in its order.
SAID: Final = (
    *("name", "contract", "address", "block_number", "block_hash", "block_time"),
    *("transaction_hash", "log_index", "transaction_log_index", "schema"),
)


def event_of(
    arguments: Mapping[str, Any],
    name: str,
    contract: str,
    address: str,
    block_number: int,
    block_hash: str,
    block_time: int,
    transaction_hash: str,
    log_index: int,
    transaction_log_index: int,
    schema: str,
) -> ChainEvent:
    """The event that a row's columns hold, without topics and data, which only evidence needs."""
    return ChainEvent(
        name=name,
        contract=contract,
        address=address,
        arguments={key: from_json(value) for key, value in arguments.items()},
        block_number=block_number,
        block_hash=bytes.fromhex(block_hash[2:]),
        block_time=block_time,
        transaction_hash=bytes.fromhex(transaction_hash[2:]),
        log_index=log_index,
        transaction_log_index=transaction_log_index,
        schema=schema,
    )
