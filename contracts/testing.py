"""A chain in memory for unit tests: the same promises as the gateway's, held to by the same tests as anvil.

Contracts are small Python classes that stand in for compiled ones; transactions are the real signed
bytes. It can be told to fail, to keep transactions waiting, to refuse a sender, to lag behind and to
lose its last blocks. Its pool answers as that of Besu's ENTERPRISE profile on a network without fees.
"""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes

from consortium.kernel.digests import keccak256
from consortium.kernel.secp256k1 import checksum_address
from contracts.artifacts import Artifacts
from contracts.errors import (
    BlockNotFoundError,
    ChainError,
    ChainUnavailableError,
    GasLimitError,
    KnownTransactionError,
    NonceTooDistantError,
    NonceTooLowError,
    ReplacementUnderpricedError,
    SenderNotAuthorizedError,
    TransactionRevertedError,
    UnknownContractError,
    WrongChainError,
)
from contracts.events import BlockHeader, ChainEvent, ContractReference, Receipt
from contracts.interface import Trial
from contracts.rpc import codec

# What Besu's SEQUENCED pool takes ahead of the chain.
MAX_AHEAD = 614
GAS = 50_000
INTRINSIC_GAS = 21_000
GENESIS_TIME = 1_700_000_000


class FakeContract:
    """Base of the stand-ins: methods named like the contract's functions, taking a `FakeCall` first."""

    def constructor(self, call: "FakeCall", *arguments: Any) -> None:
        """Set the first state; by default there is none."""


@dataclass
class FakeCall:
    """Who calls, in which block; `emit` makes an event."""

    sender: str
    block: BlockHeader
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def emit(self, name: str, **arguments: Any) -> None:
        self.events.append((name, arguments))


@dataclass
class _Signed:
    raw: bytes
    hash: bytes
    sender: str
    nonce: int
    to: str | None
    data: bytes
    gas: int
    most_fee: int = 0
    tip: int = 0

    @property
    def price(self) -> int:
        """What it pays for gas where the base fee is zero."""
        return min(self.most_fee, self.tip)


@dataclass
class _State:
    contracts: dict[str, tuple[str, FakeContract]] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass
class _Block:
    header: BlockHeader
    state: _State
    receipts: dict[bytes, Receipt] = field(default_factory=dict)
    mined: list[_Signed] = field(default_factory=list)
    events: list[ChainEvent] = field(default_factory=list)


class FakeChain:
    """See `contracts.interface.Chain` for what every method promises."""

    def __init__(
        self,
        stand_ins: Mapping[str, type[FakeContract]],
        *,
        artifacts: Artifacts,
        chain_id: int = 31_337,
        automine: bool = True,
    ) -> None:
        self.stand_ins = stand_ins
        self.artifacts = artifacts
        self.chain_id = chain_id
        self.automine = automine
        self.pool: list[_Signed] = []
        self.sent: list[bytes] = []
        # Accounts that are not on the node's allow list.
        self.unauthorized: set[str] = set()
        self.max_ahead = MAX_AHEAD
        # Transactions that ask for more gas stay out of blocks.
        self.most_gas: int | None = None
        self._hidden: list[_Block] = []
        self._faults: dict[str, list[Exception]] = {}
        self._mined_ever = 0
        self._blocks = [_Block(BlockHeader(0, keccak256(b"genesis"), GENESIS_TIME), _State())]

    def fail(self, method: str, error: Exception, *, times: int = 1) -> None:
        """Let the next calls of a method raise."""
        self._faults.setdefault(method, []).extend([error] * times)

    def mine(self, *, empty: bool = False) -> BlockHeader:
        """Make a block of what can be mined; `empty` leaves the waiting transactions where they are."""
        parent = self._blocks[-1]
        self._mined_ever += 1
        number = parent.header.number + 1
        seed = parent.header.hash + self._mined_ever.to_bytes(8, "big")
        header = BlockHeader(number, keccak256(seed), GENESIS_TIME + self._mined_ever)
        block = _Block(header, copy.deepcopy(parent.state))
        self._blocks.append(block)
        if not empty:
            while (ready := next((tx for tx in self.pool if self._is_next(tx)), None)) is not None:
                self.pool.remove(ready)
                self._execute(block, ready)
        return header

    def lag(self, blocks: int) -> None:
        """Show the chain as a node does that is so many blocks behind; `catch_up` ends it."""
        self._hidden = self._blocks[-blocks:]
        del self._blocks[-blocks:]

    def catch_up(self) -> None:
        self._blocks += self._hidden
        self._hidden = []

    def lose_blocks_after(self, number: int) -> None:
        """Come back shorter, and with an empty pool, as a node does that was killed before it wrote."""
        self._blocks = self._blocks[: number + 1]
        self.pool.clear()

    def forget_pool(self) -> None:
        """Lose what waits, as a node does that is restarted."""
        self.pool.clear()

    def check_chain(self) -> None:
        self._maybe_fail("check_chain")

    def head(self) -> BlockHeader:
        self._maybe_fail("head")
        return self._blocks[-1].header

    def block(self, number: int) -> BlockHeader | None:
        self._maybe_fail("block")
        return self._blocks[number].header if 0 <= number < len(self._blocks) else None

    def call(self, contract: ContractReference, function: str, *arguments: Any, block: int | None = None) -> Any:
        self._maybe_fail("call")
        data = self.encode(contract, function, *arguments)
        at = self._blocks[-1] if block is None else self._block(block)
        return self._run(copy.deepcopy(at.state), at.header, contract.address, data, "0x" + "00" * 20)[0]

    def logs(self, contracts: Sequence[ContractReference], from_block: int, to_block: int) -> list[ChainEvent]:
        self._maybe_fail("logs")
        known = {checksum_address(contract.address): contract for contract in contracts}
        for contract in contracts:
            self.artifacts.of(contract)
        window = self._blocks[max(0, from_block) : to_block + 1]
        found = (event for block in window for event in block.events if event.address in known)
        return [replace(event, schema=known[event.address].schema) for event in found]

    def encode(self, contract: ContractReference, function: str, *arguments: Any) -> bytes:
        return codec.encode_call(self.artifacts[contract.name].abi, function, arguments)

    def deploy_data(self, name: str, *arguments: Any) -> bytes:
        artifact = self.artifacts[name]
        components = [part for entry in artifact.entries("constructor") for part in entry["inputs"]]
        return artifact.bytecode + codec.encode_arguments(components, arguments)

    def simulate(self, contract: ContractReference, function: str, *arguments: Any, sender: str) -> int:
        self._maybe_fail("simulate")
        data = self.encode(contract, function, *arguments)
        self._run(copy.deepcopy(self._blocks[-1].state), self._blocks[-1].header, contract.address, data, sender)
        return GAS

    def simulate_deployment(self, name: str, *arguments: Any, sender: str) -> int:
        self._maybe_fail("simulate")
        self.stand_ins[name]().constructor(FakeCall(sender, self._blocks[-1].header), *arguments)
        return GAS

    def try_many(self, trials: Sequence[Trial], *, sender: str) -> list[int | ChainError]:
        self._maybe_fail("simulate")
        return [self._try(trial, sender) for trial in trials]

    def explain(
        self, name: str, *, sender: str, to: str | None, data: bytes, block: int
    ) -> TransactionRevertedError | None:
        self._maybe_fail("explain")
        at = self._block(block)
        try:
            self._run(copy.deepcopy(at.state), at.header, to, data, sender)
        except TransactionRevertedError as refusal:
            return refusal
        return None

    def send_raw(self, raw: bytes) -> bytes:
        self._maybe_fail("send_raw")
        signed = self._decode(raw)
        self._refuse(signed)
        # The same nonce at no lower price: taken in silence, and the first bytes are gone.
        self.pool = [each for each in self.pool if (each.sender, each.nonce) != (signed.sender, signed.nonce)]
        self.pool.append(signed)
        self.sent.append(raw)
        if self.automine:
            self.mine()
        self._maybe_fail("send_raw_answer")
        return signed.hash

    def send_raw_many(self, raws: Sequence[bytes]) -> list[bytes | ChainError]:
        answers: list[bytes | ChainError] = []
        for raw in raws:
            try:
                answers.append(self.send_raw(raw))
            except ChainUnavailableError:
                raise
            except ChainError as refusal:
                answers.append(refusal)
        return answers

    def receipt(self, transaction_hash: bytes) -> Receipt | None:
        self._maybe_fail("receipt")
        return next((b.receipts[transaction_hash] for b in self._blocks if transaction_hash in b.receipts), None)

    def receipts(self, hashes: Sequence[bytes]) -> list[Receipt | None]:
        return [self.receipt(each) for each in hashes]

    def transaction(self, transaction_hash: bytes) -> dict[str, Any] | None:
        self._maybe_fail("transaction")
        known = [*self.pool, *(signed for block in self._blocks for signed in block.mined)]
        found = next((signed for signed in known if signed.hash == transaction_hash), None)
        return None if found is None else {"hash": "0x" + found.hash.hex(), "nonce": hex(found.nonce)}

    def transaction_count(self, address: str) -> int:
        self._maybe_fail("transaction_count")
        return self._blocks[-1].state.counts.get(address, 0)

    def code(self, address: str) -> bytes:
        self._maybe_fail("code")
        found = self._blocks[-1].state.contracts.get(address)
        return b"" if found is None else keccak256(found[0].encode())

    def _try(self, trial: Trial, sender: str) -> int | ChainError:
        state, header = copy.deepcopy(self._blocks[-1].state), self._blocks[-1].header
        try:
            self._run(state, header, trial.to, trial.data, sender)
        except TransactionRevertedError as refusal:
            return refusal
        return GAS if trial.gas is None else trial.gas

    def _maybe_fail(self, method: str) -> None:
        if self._faults.get(method):
            raise self._faults[method].pop(0)

    def _block(self, number: int) -> _Block:
        if not 0 <= number < len(self._blocks):
            raise BlockNotFoundError(f"There is no block {number}.")
        return self._blocks[number]

    def _is_next(self, signed: _Signed) -> bool:
        """Whether it can be mined now; who offers a price has no balance to pay it from."""
        is_due = signed.nonce == self._blocks[-1].state.counts.get(signed.sender, 0)
        is_wanted = self.most_gas is None or signed.gas <= self.most_gas
        return is_due and is_wanted and signed.most_fee == 0 and signed.sender not in self.unauthorized

    def _decode(self, raw: bytes) -> _Signed:
        fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
        if fields["chainId"] != self.chain_id:
            raise WrongChainError("The transaction is for another chain.")
        to = bytes(fields["to"])
        return _Signed(
            raw=raw,
            hash=keccak256(raw),
            sender=Account.recover_transaction(raw),
            nonce=fields["nonce"],
            to=checksum_address("0x" + to.hex()) if to else None,
            data=bytes(fields["data"]),
            gas=fields["gas"],
            most_fee=fields["maxFeePerGas"],
            tip=fields["maxPriorityFeePerGas"],
        )

    def _refuse(self, signed: _Signed) -> None:
        """Refuse what Besu refuses, in its order."""
        count = self._blocks[-1].state.counts.get(signed.sender, 0)
        if signed.sender in self.unauthorized:
            raise SenderNotAuthorizedError("Sender account not authorized to send transactions")
        if signed.nonce < count:
            raise NonceTooLowError("Nonce too low")
        if signed.hash in {waiting.hash for waiting in self.pool}:
            raise KnownTransactionError("Known transaction")
        if signed.nonce > count + self.max_ahead:
            raise NonceTooDistantError("Transaction nonce is too distant from current sender nonce")
        if any(
            (each.sender, each.nonce) == (signed.sender, signed.nonce) and each.price > signed.price
            for each in self.pool
        ):
            raise ReplacementUnderpricedError("Replacement transaction underpriced")
        if signed.gas < INTRINSIC_GAS:
            raise GasLimitError("Intrinsic gas exceeds gas limit")

    def _execute(self, block: _Block, signed: _Signed) -> None:
        state = copy.deepcopy(block.state)
        created: str | None = None
        try:
            _, created, events = self._run(state, block.header, signed.to, signed.data, signed.sender)
            block.state = state
        except TransactionRevertedError:
            events = []
        succeeded = block.state is state
        block.state.counts[signed.sender] = signed.nonce + 1
        block.mined.append(signed)
        block.receipts[signed.hash] = Receipt(
            signed.hash, succeeded, block.header.number, block.header.hash, GAS, created if succeeded else None, None
        )
        for index, (address, name, arguments) in enumerate(events):
            block.events.append(self._event(block, signed, index, address, name, arguments))

    def _event(
        self, block: _Block, signed: _Signed, index: int, address: str, name: str, arguments: dict[str, Any]
    ) -> ChainEvent:
        contract = block.state.contracts[address][0]
        entry = next(entry for entry in self.artifacts[contract].entries("event") if entry["name"] == name)
        return ChainEvent(
            name=name,
            contract=contract,
            address=address,
            arguments={part["name"]: arguments[part["name"]] for part in entry["inputs"]},
            block_number=block.header.number,
            block_hash=block.header.hash,
            block_time=block.header.time,
            transaction_hash=signed.hash,
            log_index=len(block.events),
            transaction_log_index=index,
            topics=(codec.selector(entry),),
        )

    def _run(
        self, state: _State, header: BlockHeader, to: str | None, data: bytes, sender: str
    ) -> tuple[Any, str | None, list[tuple[str, str, dict[str, Any]]]]:
        """Run a call or a creation on `state`: what it returned, the address made, the events."""
        call = FakeCall(sender, header)
        if to is None:
            name, arguments = self._creation(data)
            address = _created_address(sender, state.counts.get(sender, 0))
            state.contracts[address] = (name, self.stand_ins[name]())
            state.contracts[address][1].constructor(call, *arguments)
            return None, address, [(address, *event) for event in call.events]
        if to not in state.contracts:
            if data:
                raise UnknownContractError(f"There is no contract at {to}.")
            return None, None, []
        name, contract = state.contracts[to]
        entry = next(e for e in self.artifacts[name].entries("function") if codec.selector(e)[:4] == data[:4])
        answer = getattr(contract, entry["name"])(call, *codec.decode_values(entry["inputs"], data[4:]))
        return answer, None, [(to, *event) for event in call.events]

    def _creation(self, data: bytes) -> tuple[str, list[Any]]:
        for name in self.stand_ins:
            artifact = self.artifacts[name]
            if data.startswith(artifact.bytecode):
                components = [part for entry in artifact.entries("constructor") for part in entry["inputs"]]
                return name, codec.decode_values(components, data[len(artifact.bytecode) :])
        raise ChainError("No stand-in has this creation code.")


def _created_address(sender: str, nonce: int) -> str:
    """An address that depends on sender and nonce alone, as the real one does."""
    return checksum_address("0x" + keccak256(f"{sender}:{nonce}".encode())[-20:].hex())
