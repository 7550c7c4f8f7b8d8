"""The blocks of one network with all that follows from them: receipts, logs, counts and balances at every height.

There is no virtual machine here: what a transaction does says a program that a test registers for its
address; without one it succeeds, emits nothing and costs the intrinsic gas. Blocks that are made here have
the members of real ones, but their roots are not computed and nobody sealed them.
"""

import copy
import json
import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from consortium.kernel.digests import keccak256
from tests.besu.recordings import document, lines
from tests.besu.transactions import Transaction

EMPTY_BLOOM = "0x" + "00" * 256
BLOCK_GAS_LIMIT = 60_000_000


@dataclass(frozen=True)
class Outcome:
    """What a program did: `logs` are (address, topics, data), `revert_reason` ABI data, filled where it refused."""

    succeeded: bool = True
    logs: tuple[tuple[str, tuple[str, ...], str], ...] = ()
    revert_reason: str | None = None
    gas_used: int | None = None


Program = Callable[[Transaction], Outcome]
View = Callable[[bytes, int], str]


@dataclass
class Ledger:
    """An append-only list of blocks, full transactions inside.

    `programs` (what transactions do) and `views` (what calls answer: calldata and height in, data out, or a
    `Refusal`) are by address in lower case, "" for creations; `codes` are runtime codes. `validators` are
    (first block that the set seals, the set in ascending order).
    """

    blocks: list[dict[str, Any]] = field(default_factory=list)
    receipts: dict[str, dict[str, Any]] = field(default_factory=dict)
    programs: dict[str, Program] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    validators: list[tuple[int, tuple[str, ...]]] = field(default_factory=list)
    _sent: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    _balances: dict[str, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    _places: dict[str, tuple[int, int]] = field(default_factory=dict)

    @property
    def head(self) -> int:
        return len(self.blocks) - 1

    def append(self, block: dict[str, Any], receipts: Iterable[dict[str, Any]] = ()) -> None:
        """Add a block as a node writes it, with the receipts of its transactions."""
        number = int(block["number"], 16)
        if number != len(self.blocks):
            raise ValueError(f"Block {number} does not follow block {self.head}.")
        self.blocks.append(block)
        self.receipts |= {receipt["transactionHash"]: receipt for receipt in receipts}
        for index, transaction in enumerate(block["transactions"]):
            self._places[transaction["hash"]] = (number, index)
            self._sent[transaction["from"]].append(number)
            self._move(number, transaction, self.receipts[transaction["hash"]], block["miner"])

    def mine(
        self, transactions: Sequence[Transaction] = (), *, now: int | None = None, salt: str = ""
    ) -> dict[str, Any]:
        """Make the next block of these transactions; `salt` makes it another block than its twin on a copy."""
        parent = self.blocks[-1]
        block = copy.deepcopy(_template())
        block |= {
            "number": hex(len(self.blocks)),
            "parentHash": parent["hash"],
            "timestamp": hex(max(int(time.time()) if now is None else now, int(parent["timestamp"], 16) + 1)),
            "totalDifficulty": hex(int(parent["totalDifficulty"], 16) + 1),
            "logsBloom": EMPTY_BLOOM,
        }
        named = [transaction.hash for transaction in transactions]
        block["hash"] = "0x" + keccak256(json.dumps([block, named, salt], sort_keys=True).encode()).hex()
        receipts = self._execute(block, transactions)
        block["gasUsed"] = receipts[-1]["cumulativeGasUsed"] if receipts else "0x0"
        block["transactions"] = [t.mined_json(block=block, index=i) for i, t in enumerate(transactions)]
        self.append(block, receipts)
        return block

    def fork(self, number: int) -> "Ledger":
        """A chain of its own with the same blocks up to `number`."""
        other = Ledger(
            programs=self.programs, views=self.views, codes=dict(self.codes), validators=list(self.validators)
        )
        for who, wei in self._allocations().items():
            other.allocate(who, wei)
        for block in self.blocks[: number + 1]:
            other.append(block, [self.receipts[found["hash"]] for found in block["transactions"]])
        return other

    def allocate(self, address: str, wei: int) -> None:
        """Give an account its balance in the genesis block."""
        self._balances[address.lower()] = [(0, wei)]

    def count(self, address: str, height: int) -> int:
        """How many transactions of the address are in blocks up to `height`."""
        return bisect_right(self._sent.get(address.lower(), []), height)

    def balance(self, address: str, height: int) -> int:
        history = self._balances.get(address.lower(), [])
        place = bisect_right([number for number, _ in history], height)
        return history[place - 1][1] if place else 0

    def validators_after(self, height: int) -> list[str]:
        """The set in the state after a block: the one that seals the next."""
        return list(next(members for first, members in reversed(self.validators) if first <= height + 1))

    def replace_validators(self, members: Iterable[str]) -> None:
        """Let another set seal from the next block but one on, as if `replace` stood in the next block."""
        self.validators.append((self.head + 2, tuple(sorted(member.lower() for member in members))))

    def place(self, transaction_hash: str) -> tuple[int, int] | None:
        """Number of the block and index in it."""
        return self._places.get(transaction_hash)

    def logs(self, first: int, last: int) -> list[dict[str, Any]]:
        """The logs of these blocks, both included, members in the order of `eth_getLogs`."""
        found = [
            transaction["hash"] for block in self.blocks[first : last + 1] for transaction in block["transactions"]
        ]
        return [log for transaction_hash in found for log in self.receipts[transaction_hash]["logs"]]

    def _allocations(self) -> dict[str, int]:
        return {who: history[0][1] for who, history in self._balances.items() if history and history[0][0] == 0}

    def _move(self, number: int, transaction: dict[str, Any], receipt: dict[str, Any], miner: str) -> None:
        fee = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
        value = int(transaction["value"], 16) if receipt["status"] == "0x1" else 0
        self._change(number, transaction["from"], -fee - value)
        self._change(number, transaction["to"] or receipt["contractAddress"], value)
        self._change(number, miner, fee)

    def _change(self, number: int, address: str, wei: int) -> None:
        if wei:
            self._balances[address].append((number, self.balance(address, number) + wei))

    def _execute(self, block: dict[str, Any], transactions: Sequence[Transaction]) -> list[dict[str, Any]]:
        receipts: list[dict[str, Any]] = []
        cumulative = 0
        for index, transaction in enumerate(transactions):
            outcome = self.programs.get(transaction.to or "", _plain)(transaction)
            used = transaction.intrinsic_gas if outcome.gas_used is None else outcome.gas_used
            cumulative += used
            first_log = sum(len(receipt["logs"]) for receipt in receipts)
            receipts.append(
                {
                    "blockHash": block["hash"],
                    "blockNumber": block["number"],
                    # Filled in although nothing was created where the creation failed.
                    "contractAddress": transaction.created_address if transaction.to is None else None,
                    "cumulativeGasUsed": hex(cumulative),
                    "from": transaction.sender,
                    "gasUsed": hex(used),
                    "effectiveGasPrice": hex(transaction.price if transaction.kind == 2 else transaction.max_price),
                    "logs": _logs(block, transaction, index, first_log, outcome),
                    "logsBloom": EMPTY_BLOOM,
                    "status": "0x1" if outcome.succeeded else "0x0",
                    "to": transaction.to,
                    "transactionHash": transaction.hash,
                    "transactionIndex": hex(index),
                    "type": hex(transaction.kind),
                }
                | ({} if outcome.revert_reason is None else {"revertReason": outcome.revert_reason})
            )
        return receipts


def _plain(transaction: Transaction) -> Outcome:
    return Outcome()


def _logs(
    block: dict[str, Any], transaction: Transaction, index: int, first: int, outcome: Outcome
) -> list[dict[str, Any]]:
    place = {
        "blockNumber": block["number"],
        "transactionHash": transaction.hash,
        "transactionIndex": hex(index),
        "blockHash": block["hash"],
        "blockTimestamp": block["timestamp"],
    }
    return [
        {"address": address.lower(), "topics": list(topics), "data": data}
        | place
        | {"logIndex": hex(first + offset), "removed": False}
        for offset, (address, topics, data) in enumerate(outcome.logs)
    ]


def genesis_ledger() -> Ledger:
    """A chain of the recorded genesis block alone, with the accounts that it gives a balance."""
    ledger = Ledger()
    ledger.append(lines("blocks.jsonl")[0])
    for address, account in document("genesis.json")["alloc"].items():
        where = "0x" + address.removeprefix("0x").lower()
        ledger.allocate(where, int(str(account.get("balance", "0")), 0))
        if "code" in account:
            ledger.codes[where] = account["code"]
    ledger.validators.append((0, tuple(document("network.json")["validators"][0]["members"])))
    return ledger


def recorded_ledger(*, until: int = 110) -> Ledger:
    """The recorded chain, or its first blocks."""
    ledger = genesis_ledger()
    blocks, receipts = recorded_blocks(), recorded_receipts()
    for number in range(1, until + 1):
        ledger.append(blocks[number], receipts.get(number, ()))
    sets = document("network.json")["validators"]
    ledger.validators = [(found["from_block"], tuple(found["members"])) for found in sets]
    return ledger


def recorded_blocks() -> list[dict[str, Any]]:
    return lines("blocks.jsonl")


def recorded_receipts() -> dict[int, list[dict[str, Any]]]:
    """By the block's number; blocks without transactions have none."""
    return {found["number"]: found["receipts"] for found in lines("receipts.jsonl")}


def _template() -> dict[str, Any]:
    """A block without transactions, three seals in its extraData."""
    return next(block for block in reversed(recorded_blocks()) if not block["transactions"])
