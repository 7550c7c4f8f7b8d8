"""From the outbox to the chain: every step may be the last one before a kill, and nothing is lost or doubled.

A pass takes back what a shorter development chain forgot, settles what is mined, sends stored bytes
again that are due, signs and sends what waits, and tells those who asked. The steps are named, so
that tests can stop the program between any two of them:

    claimed, simulated, nonce_taken, signed, persisted | committed | sending, sent | receipt_read, settled |
    outcome_delivered

Up to `persisted` everything happens in one transaction: a kill leaves the row recorded and the nonce
free. From `committed` on the signed bytes are in the database: they are sent again, whether the
node had them or not, and are one transaction whatever happens.
"""

from dataclasses import dataclass

from contracts.chain import chain_from_settings
from contracts.interface import Chain
from contracts.relay import Relay, relay_from_settings
from contracts.sending.broadcasts import broadcast, due
from contracts.sending.claims import Hook, claim
from contracts.sending.outcomes import deliver_outcomes
from contracts.sending.settlements import Settler


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
    """Sends for one relay account; several of them may run at once."""

    def __init__(self, chain: Chain, relay: Relay, *, at: Hook = _go_on) -> None:
        self.chain = chain
        self.relay = relay
        self.at = at
        self.settler = Settler(chain, relay, at)

    def dispatch_once(self) -> DispatchReport:
        """Make one pass, as the system's database role.

        Raises
        ------
        ChainError
            Retryable: the node failed, the next pass goes on where this one stopped. Others need a
            person: wrong chain, a chain that was rewound, an account that may not send.
        """
        report = DispatchReport()
        self.chain.check_chain()
        self.settler.recover()
        self._settle(report)
        report.resent = broadcast(self.chain, self.relay, due(self.relay), self.at)
        while (claimed := claim(self.chain, self.relay, self.at)).signed or claimed.failed:
            report.failed += claimed.failed
            report.sent += broadcast(self.chain, self.relay, claimed.signed, self.at)
            if not claimed.signed:
                break
        self._settle(report)
        report.delivered = deliver_outcomes(self.at)
        return report

    def is_busy(self) -> bool:
        """Whether transactions are under way, so that receipts are to be looked for soon."""
        return self.settler.in_flight().exists()

    def _settle(self, report: DispatchReport) -> None:
        settled = self.settler.settle()
        report.confirmed += settled.confirmed
        report.failed += settled.failed


def dispatch_once(chain: Chain | None = None, relay: Relay | None = None) -> DispatchReport:
    """One pass of a dispatcher for this deployment's chain and relay, or for those given."""
    return Dispatcher(chain or chain_from_settings(), relay or relay_from_settings()).dispatch_once()
