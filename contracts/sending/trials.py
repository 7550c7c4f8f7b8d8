"""Calls are tried before they get a nonce: what a contract refuses costs none."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from consortium.kernel.errors import ConsiliumError
from contracts.errors import (
    ChainError,
    ContractArgumentsError,
    GasLimitError,
    TransactionTooLargeError,
    UnknownContractError,
)
from contracts.events import ContractReference
from contracts.interface import Chain, Trial
from contracts.models import ContractDeployment, OutboxTransaction
from contracts.models.outbox import CONSTRUCTOR

# State may change between trial and mining: half as much again, and two new storage slots.
GAS_FACTOR = (3, 2)
GAS_MARGIN = 50_000
# Half of a block: no single call may crowd the others out.
MAX_TRANSACTION_GAS = 30_000_000
# Besu's pool takes 131,072 bytes of a whole transaction (26.8.1; EIP-1559 with a signature adds less than 256).
MAX_CALL_BYTES = 131_072 - 256
# A costlier call reserves too much of a block to be a measure for its kind.
MAX_TYPICAL_GAS = 1_000_000

Kind = tuple[UUID, str, str]


@dataclass(frozen=True)
class Tried:
    """A call that its contract takes: the bytes, and the gas limit to sign."""

    to: str | None
    data: bytes
    gas: int


@dataclass
class Trials:
    """Tries calls in batches, and remembers how much gas a consortium's calls of one kind take.

    A node finds the least gas by running a call again and again; with the gas that is known to be
    enough for its kind it runs it once. Where that is refused, the long way gives reason or amount.
    """

    chain: Chain
    typical: dict[Kind, int] = field(default_factory=dict)
    # Consortia whose calls had to wait when they were tried last.
    waited: set[UUID] = field(default_factory=set)

    def run(self, rows: Sequence[OutboxTransaction], *, sender: str) -> list[Tried | ConsiliumError]:
        """Try each row on the newest state; in the order of the rows what it needs, or why it is refused."""
        addresses = _addresses(rows)
        # One of each new kind first, so that the others have its gas to go by.
        new = {_kind(row): index for index, row in reversed(list(enumerate(rows))) if _kind(row) not in self.typical}
        first = sorted(new.values())
        rest = sorted(set(range(len(rows))) - set(first))
        found: dict[int, Tried | ConsiliumError] = {}
        for part in (first, rest):
            results = self._run([rows[index] for index in part], addresses, sender)
            found |= zip(part, results, strict=True)
        return [found[index] for index in range(len(rows))]

    def _run(
        self, rows: Sequence[OutboxTransaction], addresses: dict[tuple[UUID, str], str], sender: str
    ) -> list[Tried | ConsiliumError]:
        prepared = [self._prepare(row, addresses) for row in rows]
        trials = [trial for trial in prepared if isinstance(trial, Trial)]
        answers = iter(self._ask(trials, sender) if trials else [])
        return [
            self._judge(row, trial, next(answers)) if isinstance(trial, Trial) else trial
            for row, trial in zip(rows, prepared, strict=True)
        ]

    def _prepare(self, row: OutboxTransaction, addresses: dict[tuple[UUID, str], str]) -> Trial | ConsiliumError:
        try:
            address = None if row.function == CONSTRUCTOR else _address(row, addresses)
            data = calldata(self.chain, row)
            if len(data) > MAX_CALL_BYTES:
                # Signed, it would hold up its lane for good: no node would take it.
                return TransactionTooLargeError(f"The call has {len(data)} bytes, and {MAX_CALL_BYTES} is the most.")
            return Trial(row.contract, address, data, self.typical.get(_kind(row)))
        except (UnknownContractError, ContractArgumentsError) as refusal:
            return refusal

    def _ask(self, trials: Sequence[Trial], sender: str) -> list[int | ChainError]:
        answers = self.chain.try_many(trials, sender=sender)
        again = [
            index
            for index, answer in enumerate(answers)
            if isinstance(answer, ChainError) and trials[index].gas is not None
        ]
        searches = [replace(trials[index], gas=None) for index in again]
        more = self.chain.try_many(searches, sender=sender) if searches else []
        for index, answer in zip(again, more, strict=True):
            answers[index] = answer
        return answers

    def _judge(self, row: OutboxTransaction, trial: Trial, answer: int | ChainError) -> Tried | ConsiliumError:
        if isinstance(answer, ChainError):
            return answer
        if answer > MAX_TRANSACTION_GAS:
            return GasLimitError(f"The call needs {answer} gas, and {MAX_TRANSACTION_GAS} is the most. Split it.")
        if answer <= MAX_TYPICAL_GAS:
            self.typical[_kind(row)] = max(answer, self.typical.get(_kind(row), 0))
        gas = min(answer * GAS_FACTOR[0] // GAS_FACTOR[1] + GAS_MARGIN, MAX_TRANSACTION_GAS)
        return Tried(trial.to, trial.data, gas)


def calldata(chain: Chain, row: OutboxTransaction) -> bytes:
    """The bytes that the row's transaction carries."""
    if row.function == CONSTRUCTOR:
        return chain.deploy_data(row.contract, *row.values)
    return chain.encode(ContractReference(row.contract, row.address), row.function, *row.values)


def _addresses(rows: Sequence[OutboxTransaction]) -> dict[tuple[UUID, str], str]:
    found = ContractDeployment.objects.filter(consortium_id__in={row.consortium_id for row in rows})
    return {(consortium, name): at for consortium, name, at in found.values_list("consortium_id", "name", "address")}


def _address(row: OutboxTransaction, addresses: dict[tuple[UUID, str], str]) -> str:
    if (address := addresses.get((row.consortium_id, row.contract))) is None:
        raise UnknownContractError(f"The consortium has no contract {row.contract}.", contract=row.contract)
    return address


def _kind(row: OutboxTransaction) -> Kind:
    return row.consortium_id, row.contract, row.function
