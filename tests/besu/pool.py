"""Besu's SEQUENCED transaction pool, as its answers were recorded."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.besu import refusals
from tests.besu.ledger import BLOCK_GAS_LIMIT, Ledger
from tests.besu.transactions import MAX_INITCODE_BYTES, Transaction

MAX_SIZE = 4_096
# 0.15 of the pool for one sender: 614 ahead are taken and 615 are not.
SEQUENCED_AHEAD = 614
LAYERED_AHEAD = 199


@dataclass
class Pool:
    """What waits at one node, by sender and nonce, in the order of arrival."""

    chain_id: int
    min_gas_price: int = 0
    max_ahead: int = SEQUENCED_AHEAD
    _waiting: dict[tuple[str, int], Transaction] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Transaction]:
        return iter(list(self._waiting.values()))

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, transaction: Transaction, *, ledger: Ledger, height: int, authorized: bool) -> None:
        """Take a transaction, or refuse it in Besu's words.

        One with a nonce gap is taken and waits. One that cannot pay is taken too, is never mined, and holds its
        nonce. Another with the same nonce and no lower price replaces the first without a word.
        """
        self._check(transaction)
        mined = ledger.count(transaction.sender, height)
        if any(found.raw == transaction.raw for found in self):
            raise refusals.server_error("Known transaction")
        if transaction.nonce < mined:
            raise refusals.Refusal(-32001, "Nonce too low")
        if transaction.nonce - mined > self.max_ahead:
            raise refusals.server_error("Transaction nonce is too distant from current sender nonce")
        if not authorized:
            raise refusals.Refusal(-32007, "Sender account not authorized to send transactions")
        key = (transaction.sender, transaction.nonce)
        if (before := self._waiting.pop(key, None)) is not None and transaction.price < before.price:
            self._waiting[key] = before
            raise refusals.server_error("Replacement transaction underpriced")
        self._waiting[key] = transaction

    def _check(self, transaction: Transaction) -> None:
        if transaction.chain_id not in (None, self.chain_id):
            raise refusals.server_error("Wrong chainId")
        if transaction.to is None and len(transaction.data) > MAX_INITCODE_BYTES:
            raise refusals.internal_error()
        if transaction.priority_price > transaction.max_price:
            raise refusals.server_error("Max priority fee per gas exceeds max fee per gas")
        if transaction.gas < transaction.intrinsic_gas:
            raise refusals.Refusal(-32003, "Intrinsic gas exceeds gas limit")
        if transaction.gas > BLOCK_GAS_LIMIT:
            raise refusals.Refusal(-32005, "Transaction gas limit exceeds block gas limit")
        if transaction.price < self.min_gas_price:
            raise refusals.Refusal(-32009, "Gas price below configured minimum gas price")

    def of(self, address: str) -> list[Transaction]:
        """What waits of one sender, by nonce."""
        found = [transaction for (sender, _), transaction in self._waiting.items() if sender == address.lower()]
        return sorted(found, key=lambda transaction: transaction.nonce)

    def find(self, transaction_hash: str) -> Transaction | None:
        return next((found for found in self if found.hash == transaction_hash), None)

    def next_nonce(self, address: str, mined: int) -> int:
        """The count at "pending": one more than the highest nonce that waits, whatever gap is before it."""
        waiting = self.of(address)
        return max(mined, waiting[-1].nonce + 1) if waiting else mined

    def executable(self, ledger: Ledger) -> list[Transaction]:
        """What the next block can hold: nonces in a row, from accounts that can pay, up to a block's gas."""
        chosen: list[Transaction] = []
        gas = 0
        for sender in dict.fromkeys(sender for sender, _ in self._waiting):
            nonce, balance = ledger.count(sender, ledger.head), ledger.balance(sender, ledger.head)
            for transaction in self.of(sender):
                if transaction.nonce != nonce or transaction.upfront_cost > balance:
                    break
                if gas + transaction.gas > BLOCK_GAS_LIMIT:
                    break
                chosen.append(transaction)
                nonce, gas = nonce + 1, gas + transaction.gas
                balance -= transaction.upfront_cost
        return chosen

    def forget_mined(self, ledger: Ledger, height: int) -> None:
        """Drop what a block has made impossible: used nonces."""
        for sender, nonce in list(self._waiting):
            if nonce < ledger.count(sender, height):
                del self._waiting[sender, nonce]

    def clear(self) -> None:
        self._waiting.clear()
