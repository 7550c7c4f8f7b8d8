"""The accounts that send, each a lane with nonces of its own; and which of them are stuck.

A lane is stuck when the nodes refuse its account, when bytes that are not ours hold its nonce, when
blocks are made and its transactions stay out, or when what holds its key gives no signature (a remote
signer is asked again after a growing pause). It takes no new calls then; other lanes go on, also with
the later calls of its consortia: contracts take calls in any order that a relay chooses, since no relay
is trusted, so order is a convenience and a call that needs an earlier one waits for it in any case.

What a stuck lane has signed is another matter. Its bytes are known to every node, and whoever holds them
can have them mined as long as their nonce is open: the same call signed again on another lane could then
happen twice. So the rule is: a call is signed anew only when its nonce was used up by other bytes, seen
over several blocks, with no receipt under its own hash (`settlements`). To get there the lane sends an
empty transaction with the oldest open nonce (`fillers`); whichever of the two is mined, the call happens
once. Where that cannot work (the account may not send, a foreign transaction with a price holds the
nonce) the lane stays as it is, and a person is told what to do.
"""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import Count, QuerySet
from django.utils import timezone

from consortium.common.models import TransactionState
from contracts.events import BlockHeader
from contracts.interface import Chain
from contracts.models import OutboxTransaction, RelayAccount, StuckCode
from contracts.sending.background import AtOnce
from contracts.sending.relays import AnyRelay

logger = logging.getLogger(__name__)

# Besu's SEQUENCED pool refuses the 615th nonce ahead of the chain.
MAX_IN_FLIGHT = 600
# A full pool is emptied within a few blocks; after half a minute of blocks without us something is wrong.
STUCK_AFTER_BLOCKS = 30
MAX_SIGNER_PAUSE_SECONDS = 60.0
# Known by what becomes of the lane's transactions; a signer's fault is over when it signs.
_ON_THE_CHAIN = (StuckCode.NOT_AUTHORIZED, StuckCode.NONCE_HELD, StuckCode.NOT_MINED)

Hook = Callable[[str], None]


@dataclass(frozen=True)
class Lane:
    """One account on one chain; without `relay` its key is gone, and what it signed is followed to its end."""

    chain: Chain
    address: str
    relay: AnyRelay | None
    at: Hook
    background: Executor = field(default_factory=AtOnce)

    def in_flight(self) -> QuerySet[OutboxTransaction]:
        """What is signed and not settled."""
        return OutboxTransaction.objects.filter(state=TransactionState.SUBMITTED, sender=self.address)

    def mined_count(self) -> int:
        """How many nonces the chain has used up."""
        return self.chain.transaction_count(self.address)

    def stuck_code(self) -> str:
        codes = RelayAccount.objects.filter(pk=self.address).values_list("stuck_code", flat=True)
        return codes.first() or ""

    def mark_stuck(self, code: StuckCode, text: str) -> None:
        """Take no new calls until `mark_moving`; the first reason stays."""
        marked = RelayAccount.objects.filter(pk=self.address, stuck_code="").update(
            stuck_code=code, stuck_text=text, stuck_since=timezone.now()
        )
        if marked:
            logger.error("The relay account %s is stuck (%s): %s", self.address, code, text)

    def mark_moving(self, *codes: StuckCode, before: datetime | None = None) -> None:
        """Take new calls again, if the lane was stuck for one of these reasons; `before` this moment, if given."""
        stuck = RelayAccount.objects.filter(pk=self.address, stuck_code__in=codes)
        if before is not None:
            stuck = stuck.filter(stuck_since__lt=before)
        if stuck.update(stuck_code="", stuck_text="", stuck_since=None):
            logger.warning("The relay account %s moves again.", self.address)


def open_lanes(chain: Chain, relays: Sequence[AnyRelay], at: Hook, background: Executor) -> list[Lane]:
    """A lane for each relay, and for each account without a key here that still has something under way."""
    own = [Lane(chain, relay.address, relay, at, background) for relay in relays]
    known = set(RelayAccount.objects.values_list("address", flat=True))
    new = [RelayAccount(address=lane.address) for lane in own if lane.address not in known]
    RelayAccount.objects.bulk_create(new, ignore_conflicts=True)
    left = loads().keys() - {lane.address for lane in own}
    return own + [Lane(chain, address, None, at, background) for address in sorted(left)]


def loads() -> dict[str, int]:
    """How many transactions each account has under way."""
    submitted = OutboxTransaction.objects.filter(state=TransactionState.SUBMITTED).order_by()
    return dict(submitted.values_list("sender").annotate(Count("pk")))


@dataclass
class SignerPauses:
    """When each account whose key gave no signature is asked again: after 1, 2, 4, ... seconds, at most a minute."""

    until: dict[str, float] = field(default_factory=dict)
    lengths: dict[str, float] = field(default_factory=dict)

    def begin(self, address: str) -> None:
        self.lengths[address] = min(2 * self.lengths.get(address, 0.5), MAX_SIGNER_PAUSE_SECONDS)
        self.until[address] = time.monotonic() + self.lengths[address]

    def end(self, address: str) -> None:
        self.until.pop(address, None)
        self.lengths.pop(address, None)

    def is_over(self, address: str) -> bool:
        return time.monotonic() >= self.until.get(address, 0.0)


def free_lanes(lanes: Sequence[Lane], pauses: SignerPauses) -> list[Lane]:
    """Those that may sign new calls, the least busy first; one whose signer failed is tried when its pause is over."""
    stuck = RelayAccount.objects.exclude(stuck_code__in=["", StuckCode.NOT_SIGNED])
    held = set(stuck.values_list("address", flat=True))
    load = loads()
    free = [lane for lane in lanes if lane.relay is not None and lane.address not in held]
    return sorted((lane for lane in free if pauses.is_over(lane.address)), key=lambda lane: load.get(lane.address, 0))


@dataclass
class Watch:
    """Remembers since which block each lane's count of mined transactions stands still."""

    seen: dict[str, tuple[int, int]] = field(default_factory=dict)

    def look(self, lane: Lane, count: int, head: BlockHeader) -> None:
        """Mark a lane that stands still while blocks are made, or that moves again.

        A head that stands still is no fault of a lane: then nothing is marked (see the chain's health).
        """
        oldest = lane.in_flight().order_by("nonce").only("nonce", "broadcast_at").first()
        before = self.seen.pop(lane.address, None)
        if oldest is None:
            lane.mark_moving(*_ON_THE_CHAIN)
            return
        if oldest.broadcast_at is not None:
            # Taken by a node after it was refused: mined ones say nothing of it, they were sent before.
            lane.mark_moving(StuckCode.NOT_AUTHORIZED, before=oldest.broadcast_at)
        if before is not None and count != before[0]:
            lane.mark_moving(StuckCode.NONCE_HELD, StuckCode.NOT_MINED)
        self.seen[lane.address] = since = before if before and before[0] == count else (count, head.number)
        if head.number - since[1] >= STUCK_AFTER_BLOCKS:
            lane.mark_stuck(StuckCode.NOT_MINED, _not_mined(oldest, count, head.number - since[1]))


def _not_mined(oldest: OutboxTransaction, count: int, blocks: int) -> str:
    if oldest.nonce is not None and oldest.nonce > count:
        return f"Nonce {count} is missing: {blocks} blocks were made, and nonce {oldest.nonce} waits behind it."
    return f"{blocks} blocks were made without nonce {oldest.nonce}, which is sent again and again."
