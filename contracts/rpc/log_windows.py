"""Events of a range of blocks, read in windows that the node accepts."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from consortium.kernel.secp256k1 import checksum_address
from contracts.artifacts import Artifact, Artifacts
from contracts.errors import BlockNotFoundError, ChainTimeoutError, RangeTooLargeError
from contracts.events import ChainEvent, ContractReference

# Besu's default of rpc-max-logs-range: last minus first block may be 5,000; we stay one below.
MAX_WINDOW_BLOCKS = 5_000

Ask = Callable[[str, list[Any]], Any]


# After so many windows of the largest known size a larger one is tried: limits and loads change.
TRY_AGAIN_AFTER = 16


class WindowSize:
    """How many blocks of events one node gives at once, learnt from what it refuses and what it takes.

    Doubled while nothing is refused, then half way between what was taken and what was not, until they meet.
    """

    def __init__(self) -> None:
        self.blocks = MAX_WINDOW_BLOCKS
        self._taken = 0
        self._refused = MAX_WINDOW_BLOCKS + 1
        self._steady = 0

    def refused(self, blocks: int) -> None:
        """So many were too many, or took too long."""
        if 0 < self._taken < self._refused <= blocks:
            # A larger one was tried again, in vain.
            self.blocks = self._taken
            return
        self._refused = blocks
        if self._taken >= blocks:
            self._taken = 0
        self.blocks = max(1, (self._taken + blocks) // 2)

    def taken(self, blocks: int) -> None:
        """So many were given; windows cut short by the end of the range tell nothing."""
        if blocks < self.blocks:
            return
        self._taken, self._steady = blocks, self._steady + 1
        if blocks >= self._refused:
            self._refused = MAX_WINDOW_BLOCKS + 1
        if self._refused > MAX_WINDOW_BLOCKS or self._steady % TRY_AGAIN_AFTER == 0:
            self.blocks = min(MAX_WINDOW_BLOCKS, blocks * 2)
        else:
            self.blocks = (self._taken + self._refused) // 2


def read_logs(
    ask: Ask,
    artifacts: Artifacts,
    contracts: Sequence[ContractReference],
    from_block: int,
    to_block: int,
    size: WindowSize | None = None,
) -> list[ChainEvent]:
    """The contracts' events from `from_block` to `to_block`, both included and not above the node's head.

    `size` is what is known of the node that `ask` asks, and learns from it.
    """
    if not contracts or from_block > to_block:
        return []
    known = {checksum_address(c.address): replace(c, address=checksum_address(c.address)) for c in contracts}
    reader = _Reader(ask, {address: (contract, artifacts.of(contract)) for address, contract in known.items()})
    windows = _windows(ask, sorted(known), from_block, to_block, size or WindowSize())
    raw = [log for window in windows for log in window]
    return [event for log in sorted(raw, key=_place) if (event := reader.event(log)) is not None]


def _windows(ask: Ask, addresses: list[str], first: int, last: int, size: WindowSize) -> Iterator[list[dict[str, Any]]]:
    """Ask window by window, smaller where the node says that it is too much or takes too long, larger where not."""
    while first <= last:
        until = min(first + size.blocks - 1, last)
        request = {"address": addresses, "fromBlock": hex(first), "toBlock": hex(until)}
        try:
            found = ask("eth_getLogs", [request])
        except (RangeTooLargeError, ChainTimeoutError):
            if first == until:
                raise
            size.refused(until - first + 1)
            continue
        size.taken(until - first + 1)
        if any(not first <= int(log["blockNumber"], 16) <= until for log in found):
            raise ValueError("The node gave events of blocks that it was not asked for.")
        yield found
        first = until + 1


def _place(log: dict[str, Any]) -> tuple[int, int]:
    return int(log["blockNumber"], 16), int(log["logIndex"], 16)


class _Reader:
    """Turns logs, given in the chain's order, into events; asks only for what they do not say themselves."""

    def __init__(self, ask: Ask, contracts: dict[str, tuple[ContractReference, Artifact]]) -> None:
        self.ask = ask
        self.contracts = contracts
        self.spelled: dict[str, tuple[ContractReference, Artifact]] = {}
        self.times: dict[str, int] = {}
        self.first_logs: dict[str, int] = {}
        self.last_place = (-1, -1)

    def event(self, log: dict[str, Any]) -> ChainEvent | None:
        first_log = self._first_log(log)
        contract, artifact = self._contract(log["address"])
        topics = tuple(bytes.fromhex(topic[2:]) for topic in log["topics"])
        form = artifact.event_forms.get(topics[0]) if topics else None
        if form is None:
            return None
        data, (number, index) = bytes.fromhex(log["data"][2:]), _place(log)
        return ChainEvent(
            name=form.name,
            contract=contract.name,
            address=contract.address,
            arguments=form.decode(topics, data),
            block_number=number,
            block_hash=bytes.fromhex(log["blockHash"][2:]),
            block_time=self._time(log),
            transaction_hash=bytes.fromhex(log["transactionHash"][2:]),
            log_index=index,
            transaction_log_index=index - first_log,
            topics=topics,
            data=data,
            schema=contract.schema,
        )

    def _contract(self, written: str) -> tuple[ContractReference, Artifact]:
        """The contract of an address in the node's spelling."""
        if (found := self.spelled.get(written)) is None:
            found = self.spelled[written] = self.contracts[checksum_address(written)]
        return found

    def _time(self, log: dict[str, Any]) -> int:
        """Newer nodes write the time beside the log; for the others the block is asked."""
        if (written := log.get("blockTimestamp")) is not None:
            return int(written, 16)
        number = log["blockNumber"]
        if number not in self.times:
            self.times[number] = int(self._require("eth_getBlockByNumber", [number, False])["timestamp"], 16)
        return self.times[number]

    def _first_log(self, log: dict[str, Any]) -> int:
        """The place in the block of the transaction's first log: most often told by its neighbors.

        A transaction's logs lie side by side. So a log is the first of its transaction if it is the
        block's first, or if the log right before it is ours and of another transaction.
        """
        transaction, (number, index) = log["transactionHash"], _place(log)
        if transaction not in self.first_logs:
            if index == 0 or self.last_place == (number, index - 1):
                self.first_logs[transaction] = index
            else:
                receipt = self._require("eth_getTransactionReceipt", [transaction])
                self.first_logs[transaction] = int(receipt["logs"][0]["logIndex"], 16)
        self.last_place = (number, index)
        return self.first_logs[transaction]

    def _require(self, method: str, parameters: list[Any]) -> Any:
        if (found := self.ask(method, parameters)) is None:
            raise BlockNotFoundError("A block went away while its events were read; read again.")
        return found
