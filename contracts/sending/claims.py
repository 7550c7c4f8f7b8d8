"""Rows of the outbox become signed bytes with a nonce, all in one transaction under the relay's row lock."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from consortium.common.models import TransactionState
from consortium.kernel.errors import ConsiliumError, InvalidInputError
from contracts.errors import ChainError, GasLimitError, TransactionRevertedError, UnknownContractError
from contracts.interface import Chain
from contracts.models import ContractDeployment, OutboxTransaction, RelayAccount
from contracts.models.outbox import CONSTRUCTOR
from contracts.relay import Relay

logger = logging.getLogger(__name__)

# Besu's SEQUENCED pool refuses the 615th nonce ahead of the chain.
MAX_IN_FLIGHT = 600
# One lock is held for so many simulations, about a second on a node beside us.
MAX_CLAIM = 100
# State may change between trial and mining: half as much again, and two new storage slots.
GAS_FACTOR = (3, 2)
GAS_MARGIN = 50_000
# Half of a block: no single call may crowd the others out.
MAX_TRANSACTION_GAS = 30_000_000

Hook = Callable[[str], None]


@dataclass
class Claim:
    """What one pass took: the rows signed, and the rows that failed for good."""

    signed: list[OutboxTransaction] = field(default_factory=list)
    failed: int = 0


def claim(chain: Chain, relay: Relay, at: Hook) -> Claim:
    """Sign the oldest waiting rows, consecutive nonces, at most `MAX_CLAIM` and `MAX_IN_FLIGHT` in all.

    A row that its contract refuses fails, unless earlier calls of its consortium are under way: their
    effect is not on the chain yet, so it waits for them, and later calls of that consortium with it.
    A fault of the node ends the claim; what was signed so far is kept.
    """
    RelayAccount.objects.get_or_create(address=relay.address)
    with transaction.atomic():
        # Another dispatcher that holds the row is claiming already.
        account = RelayAccount.objects.select_for_update(skip_locked=True).filter(pk=relay.address).first()
        if account is None:
            return Claim()
        at("claimed")
        claimed = _Claimer(chain, relay, at, account).run()
    if claimed.signed:
        at("committed")
    return claimed


class _Claimer:
    def __init__(self, chain: Chain, relay: Relay, at: Hook, account: RelayAccount) -> None:
        self.chain = chain
        self.relay = relay
        self.at = at
        self.account = account
        self.result = Claim()
        in_flight = OutboxTransaction.objects.filter(state=TransactionState.SUBMITTED)
        self.busy: set[UUID] = set(in_flight.values_list("consortium_id", flat=True))
        self.room = MAX_IN_FLIGHT - in_flight.filter(sender=relay.address).count()
        self.waiting: set[UUID] = set()

    def run(self) -> Claim:
        rows = OutboxTransaction.objects.filter(state=TransactionState.RECORDED).order_by("position")
        try:
            if self.room > 0 and rows.exists():
                # The chain knows of transactions that we do not, if the key was used elsewhere.
                count = self.chain.transaction_count(self.relay.address)
                self.account.next_nonce = max(self.account.next_nonce, count)
                self._take(rows)
        except ChainError as error:
            if not error.retryable:
                raise
            logger.warning("Claiming stopped: %s", error.message)
        self.account.save(update_fields=["next_nonce"])
        return self.result

    def _take(self, rows: QuerySet[OutboxTransaction]) -> None:
        """Take rows in order; those of a consortium that waits are passed over and hold up nobody else's."""
        position = -1
        for _ in range(MAX_CLAIM):
            row = rows.filter(position__gt=position).exclude(consortium_id__in=self.waiting).first()
            if row is None or len(self.result.signed) >= self.room:
                return
            position = row.position
            self._take_one(row)

    def _take_one(self, row: OutboxTransaction) -> None:
        try:
            gas = self._simulate(row)
        except (TransactionRevertedError, UnknownContractError) as refusal:
            if row.consortium_id in self.busy:
                self.waiting.add(row.consortium_id)
            else:
                self._fail(row, refusal)
        except (InvalidInputError, GasLimitError) as refusal:
            self._fail(row, refusal)
        else:
            self._sign(row, gas)

    def _simulate(self, row: OutboxTransaction) -> int:
        if row.function == CONSTRUCTOR:
            estimate = self.chain.simulate_deployment(row.contract, *row.values, sender=self.relay.address)
        else:
            deployment = _deployment(row)
            row.address = deployment.address
            estimate = self.chain.simulate(deployment.reference, row.function, *row.values, sender=self.relay.address)
        self.at("simulated")
        if estimate > MAX_TRANSACTION_GAS:
            raise GasLimitError(f"The call needs {estimate} gas, and {MAX_TRANSACTION_GAS} is the most. Split it.")
        return min(estimate * GAS_FACTOR[0] // GAS_FACTOR[1] + GAS_MARGIN, MAX_TRANSACTION_GAS)

    def _sign(self, row: OutboxTransaction, gas: int) -> None:
        row.nonce = self.account.next_nonce
        self.account.next_nonce += 1
        self.at("nonce_taken")
        signed = self.relay.sign(
            to=row.address or None,
            data=calldata(self.chain, row),
            nonce=row.nonce,
            gas=gas,
            chain_id=self.chain.chain_id,
        )
        self.at("signed")
        row.raw, row.transaction_hash = signed.raw, "0x" + signed.hash.hex()
        row.sender, row.state, row.submitted_at = self.relay.address, TransactionState.SUBMITTED, timezone.now()
        row.save()
        self.at("persisted")
        self.busy.add(row.consortium_id)
        self.result.signed.append(row)

    def _fail(self, row: OutboxTransaction, refusal: ConsiliumError) -> None:
        fail(row, refusal)
        self.result.failed += 1


def fail(row: OutboxTransaction, refusal: ConsiliumError) -> None:
    """Settle a row as failed, in the contract's own words where it spoke."""
    own = refusal.error if isinstance(refusal, TransactionRevertedError) else ""
    row.state, row.settled_at = TransactionState.FAILED, timezone.now()
    row.error_code, row.error_text = (own or refusal.code)[:100], refusal.message
    row.save()


def calldata(chain: Chain, row: OutboxTransaction) -> bytes:
    """The bytes that the row's transaction carries."""
    if row.function == CONSTRUCTOR:
        return chain.deploy_data(row.contract, *row.values)
    return chain.encode(_deployment(row).reference, row.function, *row.values)


def _deployment(row: OutboxTransaction) -> ContractDeployment:
    found = ContractDeployment.objects.filter(consortium_id=row.consortium_id, name=row.contract).first()
    if found is None:
        raise UnknownContractError(f"The consortium has no contract {row.contract}.", contract=row.contract)
    return found
