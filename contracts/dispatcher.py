"""From the outbox to the chain: every step may be the last one before a kill, and nothing is lost or doubled.

A pass asks whether the node's chain is the one that we know, settles what is mined, sends stored bytes
again that are due, signs and sends what waits, and tells those who asked. It does so for every lane, an
account that sends (`contracts.sending.lanes`), and in batches. The steps are named, so that tests can
stop the program between any two of them, in any batch:

    claimed, simulated, nonce_taken, signed, persisted | committed | sending, sent, noted |
    receipt_read, settled | outcome_delivered

Up to `persisted` everything happens in one transaction: a kill leaves the rows recorded and the nonces
free. From `committed` on the signed bytes are in the database: they are sent again, whether the
node had them or not, and are one transaction whatever happens.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, field

from contracts.chain import chain_from_settings
from contracts.errors import SenderNotAuthorizedError
from contracts.events import BlockHeader
from contracts.interface import Chain
from contracts.models import OutboxTransaction, StuckCode
from contracts.relay import AnyRelay, relays_from_settings
from contracts.sending.background import AtOnce
from contracts.sending.broadcasts import Broadcast, batches, begin, broadcast, due
from contracts.sending.claims import Claim, claim
from contracts.sending.lanes import Hook, Lane, SignerPauses, free_lanes, loads, open_lanes
from contracts.sending.outcomes import deliver_outcomes
from contracts.sending.recovery import recover
from contracts.sending.settlements import Settler
from contracts.sending.trials import Trials


@dataclass
class DispatchReport:
    """What one pass did."""

    resent: int = 0
    sent: int = 0
    confirmed: int = 0
    failed: int = 0
    delivered: int = 0

    @property
    def is_idle(self) -> bool:
        return not (self.sent or self.confirmed or self.failed or self.delivered)


def _go_on(step: str) -> None:
    """The step hook of a running program: nothing."""


class Dispatcher:
    """Sends for one or several relay accounts; several dispatchers may run at once, also for the same accounts."""

    def __init__(self, chain: Chain, *relays: AnyRelay, at: Hook = _go_on, background: Executor | None = None) -> None:
        """With `background`, an executor of one thread, the node is asked while the database is written."""
        self.chain = chain
        self.background = background or AtOnce()
        self.relays = relays
        self.at = at
        self.settler = Settler()
        self.trials = Trials(chain)
        self.pauses = SignerPauses()

    @property
    def relay(self) -> AnyRelay:
        """The first of the accounts."""
        return self.relays[0]

    def dispatch_once(self) -> DispatchReport:
        """Make one pass, as the system's database role.

        Raises
        ------
        ChainError
            Retryable: the node failed or lags, the next pass goes on where this one stopped. Others
            need a person: wrong chain, a chain that was rewound, no account that may send.
        """
        report = DispatchReport()
        self.chain.check_chain()
        lanes = open_lanes(self.chain, self.relays, self.at, self.background)
        head = recover(self.chain, lanes)
        self._settle(lanes, head, report)
        sending = _Sending(self.trials, self.pauses)
        report.resent = sum(sending.send(lane, due(lane)) for lane in lanes)
        self._claim(lanes, sending, report)
        self._settle(lanes, head, report)
        report.delivered = deliver_outcomes(self.at)
        if sending.refused is not None and not free_lanes(lanes, self.pauses):
            raise sending.refused
        return report

    def is_busy(self) -> bool:
        """Whether transactions are under way, so that receipts are to be looked for soon."""
        return bool(loads())

    def _settle(self, lanes: list[Lane], head: BlockHeader, report: DispatchReport) -> None:
        for lane in lanes:
            settled = self.settler.settle(lane, head)
            report.confirmed += settled.confirmed
            report.failed += settled.failed

    def _claim(self, lanes: list[Lane], sending: "_Sending", report: DispatchReport) -> None:
        """Sign and send what waits, lane after lane, until no lane takes anything more."""
        while free := sending.open_ones(free_lanes(lanes, self.pauses)):
            claims = [sending.claim(lane, among=len(free) - index) for index, lane in enumerate(free)]
            report.failed += sum(claimed.failed for claimed in claims)
            if not any(claimed.signed or claimed.failed for claimed in claims):
                break
        for lane in lanes:
            sending.finish(lane)
        report.sent = sending.sent


@dataclass
class _Sending:
    """One pass's sending: a lane whose node refused something is left alone for the rest of the pass."""

    trials: Trials
    pauses: SignerPauses
    sent: int = 0
    halted: set[str] = field(default_factory=set)
    under_way: dict[str, Broadcast] = field(default_factory=dict)
    refused: SenderNotAuthorizedError | None = None

    def open_ones(self, lanes: list[Lane]) -> list[Lane]:
        return [lane for lane in lanes if lane.address not in self.halted]

    def send(self, lane: Lane, rows: Sequence[OutboxTransaction]) -> int:
        """Send in order; what is behind a refusal is for the next pass, which begins with the refused one."""
        try:
            sent = broadcast(lane, rows)
        except SenderNotAuthorizedError as error:
            self.refused, sent = error, 0
        if sent < len(rows):
            self.halted.add(lane.address)
        return sent

    def claim(self, lane: Lane, *, among: int) -> Claim:
        """Sign the lane's next calls, and begin to send them once those before have arrived."""
        claimed = claim(lane, self.trials, among=among)
        self._face_signer(lane, claimed)
        for batch in batches(claimed.signed):
            self.finish(lane)
            if lane.address not in self.halted:
                self.under_way[lane.address] = begin(lane, batch)
        return claimed

    def _face_signer(self, lane: Lane, claimed: Claim) -> None:
        """Leave a lane alone for a while whose key gave no signature, and say so where a person looks."""
        fault = claimed.fault
        if not claimed.signed and fault is None:
            if lane.relay is None or lane.stuck_code() != StuckCode.NOT_SIGNED:
                return
            # Nothing waits for it: it would stay stuck until something does.
            fault = lane.relay.fault()
        if claimed.signed or fault is None:
            lane.mark_moving(StuckCode.NOT_SIGNED)
            self.pauses.end(lane.address)
        if fault is not None:
            lane.mark_stuck(StuckCode.NOT_SIGNED, fault.message)
            self.pauses.begin(lane.address)

    def finish(self, lane: Lane) -> None:
        """Note what became of the batch that the lane has under way."""
        if (batch := self.under_way.pop(lane.address, None)) is None:
            return
        try:
            taken = batch.finish()
        except SenderNotAuthorizedError as error:
            self.refused, taken = error, 0
        if taken < len(batch.rows):
            self.halted.add(lane.address)
        self.sent += taken


def dispatch_once(chain: Chain | None = None, *relays: AnyRelay) -> DispatchReport:
    """One pass of a dispatcher for this deployment's chain and relays, or for those given."""
    return Dispatcher(chain or chain_from_settings(), *(relays or relays_from_settings())).dispatch_once()
