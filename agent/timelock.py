"""Who holds rights on a consortium's timelock, from its whole history: a deployer that kept one shows here."""

from agent.chain import Chain, Consortium
from agent.journal import Journal
from agent.scans import Scans
from consortium.kernel.digests import keccak256
from consortium.kernel.identifiers import to_hex

_ADMIN = bytes(32)
_PROPOSER, _EXECUTOR, _CANCELLER = (
    keccak256(name.encode()) for name in ("PROPOSER_ROLE", "EXECUTOR_ROLE", "CANCELLER_ROLE")
)
_ZERO = "0x" + "0" * 40
Rights = set[tuple[str, str]]


class TimelockHistory:
    """The roles granted and not revoked, read once and then continued from where the last look ended."""

    def __init__(self, chain: Chain, journal: Journal) -> None:
        self._chain = chain
        self._scans = Scans(chain, journal, field="held")

    def rights(self, consortium: Consortium) -> Rights:
        """Return (role, account) of every right held at the head."""
        timelock = consortium.reference("TimelockController")
        head = self._chain.head()
        key = f"timelock:{consortium.chain_id}:{timelock.address}"
        look = self._scans.last(key)
        held: Rights = {(role, account) for role, account in look.items}
        if look.block < head.number:
            for event in self._chain.logs([timelock], look.block + 1, head.number):
                right = (to_hex(event.arguments["role"]), event.arguments["account"]) if "Role" in event.name else None
                if event.name == "RoleGranted" and right:
                    held.add(right)
                elif event.name == "RoleRevoked" and right:
                    held.discard(right)
            self._scans.keep(key, head, (list(right) for right in held))
        return held


def strangers(rights: Rights, consortium: Consortium) -> Rights:
    """Return the rights of accounts other than those the design gives them to.

    The timelock administers itself; the governor alone proposes and executes (executing what was voted may also be
    open to everybody, which is the zero address); the guardian alone cancels.
    """
    names = ("TimelockController", "ConsortiumGovernor", "Guardian")
    timelock, governor, guardian = (consortium.reference(name).address for name in names)
    meant = {(to_hex(_ADMIN), timelock), (to_hex(_EXECUTOR), _ZERO)}
    meant |= {(to_hex(_PROPOSER), governor), (to_hex(_EXECUTOR), governor), (to_hex(_CANCELLER), guardian)}
    return rights - meant
