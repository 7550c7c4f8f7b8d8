"""What this site makes sure of on its own node before it signs anything for a consortium."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from agent.bytecode import is_shipped_code
from agent.chain import Chain, Consortium
from agent.clock import Clock, now
from agent.errors import ChainNotTrustedError
from agent.guards import Pins
from agent.keystore import KeyPurpose
from agent.timelock import TimelockHistory, strangers
from agent.wording import gettext as _
from consortium.kernel.errors import ConsiliumError
from consortium.kernel.secp256k1 import checksum_address
from contracts.artifacts import shipped

# Without these a site can neither vote nor know who else may.
REQUIRED = (
    *("ConsortiumRegistry", "ConsortiumGovernor", "DecisionBoard", "TimelockController", "ValidatorSource"),
    "Guardian",
)
# The registry's enum KeyPurpose.
_PURPOSES = {KeyPurpose.VOTE: 1, KeyPurpose.SITE: 2}
_ACTIVE = 1


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: `code` for programs, `text` for people; serious ones forbid signing."""

    code: str
    is_well: bool
    text: str


class ChainCheck:
    """Looks at the chain and at one consortium's contracts for one member."""

    def __init__(
        self,
        *,
        chain: Chain,
        history: TimelockHistory,
        organization: bytes,
        addresses: Callable[[KeyPurpose, uuid.UUID | None], str],
        max_head_age_seconds: Callable[[], int],
        clock: Clock = now,
    ) -> None:
        self._chain = chain
        self._history = history
        self._organization = organization
        self._addresses = addresses
        self._max_age = max_head_age_seconds
        self._clock = clock

    def node(self) -> list[Finding]:
        """Look at the node: the right chain, and a head that is young."""
        try:
            self._chain.check_chain()
            head = self._chain.head()
        except ConsiliumError as error:
            return [Finding("node", False, error.message)]
        age = int(self._clock().timestamp()) - head.time
        text = _("Block %(number)d, %(age)d s old") % {"number": head.number, "age": max(age, 0)}
        return [Finding("head_age", age <= self._max_age(), text)]

    def consortium(self, consortium: Consortium) -> list[Finding]:
        """Look at the contracts: complete, their code ours, one belonging to the other, our keys in the registry."""
        missing = [name for name in REQUIRED if name not in consortium.contracts]
        if missing:
            return [Finding("contracts", False, _("Contracts not named: %s") % ", ".join(missing))]
        try:
            return [*self._codes(consortium), *self._ties(consortium), *self._membership(consortium)]
        except ConsiliumError as error:
            return [Finding("contracts", False, error.message)]

    def _codes(self, consortium: Consortium) -> Iterator[Finding]:
        for name, address in sorted(consortium.contracts.items()):
            known = is_shipped_code(
                self._chain.code(address),
                shipped()[name],
                address=address,
                chain_id=consortium.chain_id,
                contracts=consortium.contracts,
            )
            text = _("%s runs the code that ships with this program") if known else _("%s runs other code than ours")
            yield Finding("code", known, text % name)

    def _ties(self, consortium: Consortium) -> Iterator[Finding]:
        ask, at = self._chain.call, consortium.reference
        timelock = at("TimelockController").address
        source = at("ValidatorSource")
        ties = [
            (ask(at("ConsortiumRegistry"), "governance"), timelock),
            (ask(at("ConsortiumRegistry"), "validatorSource"), source.address),
            (ask(at("ConsortiumGovernor"), "registry"), at("ConsortiumRegistry").address),
            (ask(at("ConsortiumGovernor"), "timelock"), timelock),
            (ask(at("ConsortiumGovernor"), "guardian"), at("Guardian").address),
            (ask(at("Guardian"), "registry"), at("ConsortiumRegistry").address),
            (ask(at("Guardian"), "timelock"), timelock),
            (ask(source, "controller"), timelock),
            (ask(source, "writer"), at("ConsortiumRegistry").address),
        ]
        yield Finding(
            "ties", all(found == meant for found, meant in ties), _("The contracts obey one another and nobody else")
        )
        left = strangers(self._history.rights(consortium), consortium)
        accounts = ", ".join(sorted(account for _role, account in left))
        text = _("Others hold rights on the timelock: %s") % accounts if left else _("The deployer has kept no right")
        yield Finding("rights", not left, text)

    def _membership(self, consortium: Consortium) -> Iterator[Finding]:
        registry = consortium.reference("ConsortiumRegistry")
        record = self._chain.call(registry, "organization", self._organization)
        yield Finding("active", record["status"] == _ACTIVE, _("This member is active in the registry"))
        for purpose, number in _PURPOSES.items():
            listed = self._chain.call(registry, "keyOf", self._organization, number)
            yield Finding(
                f"{purpose}_key",
                listed == self._addresses(purpose, consortium.id),
                _("The registry lists this site's %s key") % purpose,
            )


class Trust:
    """Turns what the platform offers into a consortium that this site has checked, or refuses it."""

    # A member that is not active, or whose key was rotated elsewhere, is refused by the contracts one by one.
    _FATAL = frozenset({"node", "head_age", "contracts", "code", "ties", "rights"})

    def __init__(self, check: ChainCheck, pins: Pins) -> None:
        self._check = check
        self._pins = pins

    def admit(self, consortium: Consortium) -> Consortium:
        """Return the consortium with its addresses in their one spelling, pinned at first sight.

        Raises
        ------
        ChainNotTrustedError
            If something is not as it must be; the message says what.
        PolicyRefusedError
            If the addresses differ from the pinned ones.
        """
        contracts = {name: checksum_address(address) for name, address in consortium.contracts.items()}
        checked = Consortium(consortium.id, consortium.name, consortium.chain_id, contracts)
        findings = self._check.node() + self._check.consortium(checked)
        if wrong := [finding.text for finding in findings if not finding.is_well and finding.code in self._FATAL]:
            raise ChainNotTrustedError("Nothing is signed for this consortium: " + "; ".join(wrong) + ".")
        self._pins.pin(checked.id, contracts)
        return checked
