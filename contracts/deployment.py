"""A consortium's contracts, put on the chain in order, handed over, and left without a right for who did it.

Every creation and every call goes through the outbox, so its rows are the journal: killed anywhere,
the same call goes on where it stopped, and nothing is deployed twice. To begin with the relay
administers timelock and validator list; the last steps take both rights from it, and the end is
read back from the chain.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from consortium.common.models import TransactionState
from consortium.kernel.digests import keccak256
from consortium.kernel.identifiers import uuid_to_bytes32
from contracts.dispatcher import Dispatcher
from contracts.errors import ChainError, ChainTimeoutError
from contracts.events import ContractReference
from contracts.founding import ZERO_ADDRESS, Founding, FoundingError
from contracts.interface import Chain
from contracts.models import ContractDeployment, OutboxTransaction, RelayAccount
from contracts.models.outbox import CONSTRUCTOR
from contracts.outbox import enqueue
from contracts.reading.streams import start_projection
from contracts.relay import AnyRelay

__all__ = ["deploy_consortium"]

ADMIN_ROLE = bytes(32)
PROPOSER_ROLE, EXECUTOR_ROLE, CANCELLER_ROLE = (
    keccak256(name) for name in (b"PROPOSER_ROLE", b"EXECUTOR_ROLE", b"CANCELLER_ROLE")
)
READ_THE_REGISTRY = ("DecisionBoard", "ConsentAnchor", "AuditAnchor", "CrossConsortiumInbox")
# Seven waves of one block each, on a network that is slow or has just lost a validator.
MAX_WAVE_SECONDS = 180.0
PAUSE_SECONDS = 0.1


@dataclass(frozen=True)
class _Step:
    contract: str
    function: str
    arguments: Sequence[Any]
    label: str = ""

    @property
    def name(self) -> str:
        return f"{self.contract}.{self.function}{self.label and '.' + self.label}"


def deploy_consortium(gateway: Chain, relay: AnyRelay, founding: Founding) -> list[ContractDeployment]:
    """Put a consortium's contracts on the chain and let the projector read them; call again after a kill.

    Runs as the system's database role and outside a transaction, since every step is kept by itself.

    Returns
    -------
    list of ContractDeployment
        All eleven, in the order of their blocks.

    Raises
    ------
    FoundingError
        If a step is refused (nothing after it is done; correct the founding and call again), or if at
        the end the chain does not hold what was asked for, or the relay holds a right.
    IdempotencyKeyReusedError
        If this consortium was begun with other numbers.
    """
    deployer = _Deployer(gateway, relay, founding)
    for wave in (
        deployer.foundations,
        deployer.registry,
        deployer.governed,
        deployer.governor,
        deployer.hand_over,
        deployer.renounce,
    ):
        deployer.carry_out(wave())
    deployer.verify()
    with transaction.atomic(durable=True):
        start_projection(founding.consortium_id)
    return list(ContractDeployment.objects.filter(consortium_id=founding.consortium_id).order_by("block", "name"))


class _Deployer:
    def __init__(self, chain: Chain, relay: AnyRelay, founding: Founding) -> None:
        self.chain = chain
        self.relay = relay
        self.founding = founding
        self.dispatcher = Dispatcher(chain, relay)

    def foundations(self) -> list[_Step]:
        """Timelock and validator list, for now under the relay: registry and governor do not exist yet."""
        founding, relay = self.founding, self.relay.address
        steps = [_create("TimelockController", founding.timelock_delay_seconds, [], [], relay)]
        if founding.source_address is None:
            arguments = (founding.minimum_validators, relay, relay, founding.validators)
            return [*steps, _create("ValidatorSource", *arguments)]
        ContractDeployment.objects.get_or_create(
            consortium_id=founding.consortium_id,
            name="ValidatorSource",
            defaults={"address": founding.source_address, "block": 0},
        )
        return steps

    def registry(self) -> list[_Step]:
        founding = self.founding
        return [
            _create(
                "ConsortiumRegistry",
                self._address("TimelockController"),
                self._address("ValidatorSource"),
                [founder.admission for founder in founding.founders],
                [rule.struct for rule in founding.rules],
                dict(founding.parameters),
                founding.policy,
                list(founding.runners),
            )
        ]

    def governed(self) -> list[_Step]:
        """What reads the registry alone."""
        founding, registry = self.founding, self._address("ConsortiumRegistry")
        guardians = [uuid_to_bytes32(guardian) for guardian in founding.guardians]
        return [
            _create("Guardian", registry, self._address("TimelockController"), guardians, founding.guardian_threshold),
            *(_create(name, registry) for name in READ_THE_REGISTRY),
        ]

    def governor(self) -> list[_Step]:
        """What reads those in turn."""
        founding = self.founding
        names = ("ConsortiumRegistry", "TimelockController", "Guardian")
        delays = (founding.voting_delay_seconds, founding.voting_period_seconds)
        read = ("ConsortiumRegistry", "DecisionBoard", "ConsentAnchor")
        return [
            _create("ConsortiumGovernor", *(self._address(name) for name in names), *delays),
            _create("TrainingLedger", *(self._address(name) for name in read)),
        ]

    def hand_over(self) -> list[_Step]:
        """Governor and guardian get their roles, the registry writes the list, the timelock controls it."""
        governor, guardian = self._address("ConsortiumGovernor"), self._address("Guardian")
        roles = (
            ("proposer", PROPOSER_ROLE, governor),
            ("executor", EXECUTOR_ROLE, governor),
            ("canceller", CANCELLER_ROLE, guardian),
        )
        return [
            *(_Step("TimelockController", "grantRole", [role, holder], label) for label, role, holder in roles),
            _Step("ValidatorSource", "setWriter", [self._address("ConsortiumRegistry")]),
            _Step("ValidatorSource", "setController", [self._address("TimelockController")]),
        ]

    def renounce(self) -> list[_Step]:
        """Last of all the relay gives up the timelock: from here on it only submits."""
        names = ("ConsortiumRegistry", "DecisionBoard", "TrainingLedger")
        return [
            _create("ModelRegistry", *(self._address(name) for name in names)),
            _Step("TimelockController", "renounceRole", [ADMIN_ROLE, self.relay.address]),
        ]

    def carry_out(self, steps: list[_Step]) -> None:
        """Ask for the steps in one transaction, and send until all are confirmed."""
        with transaction.atomic(durable=True):
            rows = [self._ask(step) for step in steps]
        deadline = time.monotonic() + MAX_WAVE_SECONDS
        while (found := self._unconfirmed(rows)) and time.monotonic() < deadline:
            if (refused := next((row for row in found if row.state == TransactionState.FAILED), None)) is not None:
                raise FoundingError(
                    f"{refused.contract}.{refused.function} was refused: {refused.error_text} "
                    "Correct the founding and start it again.",
                    contract=refused.contract,
                    error=refused.error_code,
                )
            if self._is_idle():
                time.sleep(PAUSE_SECONDS)
        if found:
            raise ChainTimeoutError(
                f"{found[0].contract} was not confirmed in time. {self._stuck_text()}Start the founding again."
            )

    def _stuck_text(self) -> str:
        text = RelayAccount.objects.filter(pk=self.relay.address).values_list("stuck_text", flat=True).first()
        return f"{text} " if text else ""

    def _is_idle(self) -> bool:
        """Make a pass; a fault of the node that may pass is waited out."""
        try:
            return self.dispatcher.dispatch_once().is_idle
        except ChainError as error:
            if not error.retryable:
                raise
            return True

    def verify(self) -> None:
        """Read back who may do what; the relay must be nobody.

        Raises
        ------
        FoundingError
            Naming what is not as it has to be.
        """
        wrong = [sentence for sentence, holds in self._claims() if not holds]
        if wrong:
            raise FoundingError(f"The chain does not hold what was founded: {'; '.join(wrong)}.", wrong=len(wrong))

    def _claims(self) -> list[tuple[str, bool]]:
        relay, governor, guardian = self.relay.address, self._address("ConsortiumGovernor"), self._address("Guardian")
        timelock, registry = self._address("TimelockController"), self._address("ConsortiumRegistry")
        roles = (ADMIN_ROLE, PROPOSER_ROLE, EXECUTOR_ROLE, CANCELLER_ROLE)
        return [
            ("the relay holds a role of the timelock", not any(self._has_role(role, relay) for role in roles)),
            ("anybody may execute", not self._has_role(EXECUTOR_ROLE, ZERO_ADDRESS)),
            (
                "the governor lacks a role of the timelock",
                all(self._has_role(role, governor) for role in (PROPOSER_ROLE, EXECUTOR_ROLE)),
            ),
            ("the guardian cannot veto", self._has_role(CANCELLER_ROLE, guardian)),
            ("the governor knows another guardian", self._read("ConsortiumGovernor", "guardian") == guardian),
            ("the timelock does not administer itself", self._has_role(ADMIN_ROLE, timelock)),
            ("the registry does not write the validators", self._read("ValidatorSource", "writer") == registry),
            ("the timelock does not control the list", self._read("ValidatorSource", "controller") == timelock),
            ("the timelock does not govern the registry", self._read("ConsortiumRegistry", "governance") == timelock),
            ("the governor does not use the timelock", self._read("ConsortiumGovernor", "timelock") == timelock),
            (
                "the relay is an organization's key",
                not any(self._read("ConsortiumRegistry", "organizationOf", relay)[0]),
            ),
            ("a founder is missing", self._read("ConsortiumRegistry", "activeCount") == len(self.founding.founders)),
            (
                "a runner is not accepted",
                all(self._read("ConsortiumRegistry", "isRunner", runner) for runner in self.founding.runners),
            ),
            ("the policy is another", self._read("ConsortiumRegistry", "policyDigest") == self.founding.policy),
        ]

    def _ask(self, step: _Step) -> OutboxTransaction:
        """Enqueue a step; one that failed before is asked for anew, under the next number."""
        mine = OutboxTransaction.objects.filter(
            consortium_id=self.founding.consortium_id, idempotency_key__startswith=f"found:{step.name}:"
        )
        tries = mine.filter(state=TransactionState.FAILED).count()
        return enqueue(
            consortium_id=self.founding.consortium_id,
            contract=step.contract,
            function=step.function,
            arguments=step.arguments,
            idempotency_key=f"found:{step.name}:{tries}",
            only_sender=self.relay.address,
        )

    def _unconfirmed(self, rows: list[OutboxTransaction]) -> list[OutboxTransaction]:
        asked = OutboxTransaction.objects.filter(pk__in=[row.pk for row in rows])
        return list(asked.exclude(state=TransactionState.CONFIRMED).order_by("position"))

    def _has_role(self, role: bytes, holder: str) -> bool:
        return bool(self._read("TimelockController", "hasRole", role, holder))

    def _read(self, name: str, function: str, *arguments: Any) -> Any:
        return self.chain.call(ContractReference(name, self._address(name)), function, *arguments)

    def _address(self, name: str) -> str:
        return ContractDeployment.objects.get(consortium_id=self.founding.consortium_id, name=name).address


def _create(contract: str, *arguments: Any) -> _Step:
    return _Step(contract, CONSTRUCTOR, list(arguments))
