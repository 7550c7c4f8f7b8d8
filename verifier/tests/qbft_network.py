"""A small QBFT network of the tests' own: keys, state, blocks with seals, proofs; honest or not.

It is written after the yellow paper and Besu's recordings, without the verifier's modules, so that a fault there shows.
"""

import copy
from dataclasses import dataclass, field
from typing import Any

import coincurve
from bundle_builder import address, hexed, keccak256, word

SOURCE = "0x" + "03" * 20
EMPTY_LIST = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
MIX = "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365"
GENESIS_TIME = 0x6A000000
REPLACED = keccak256(b"ValidatorsReplaced(address[],bytes32)")
Pairs = list[tuple[list[int], bytes]]


def key(number: int) -> bytes:
    """A validator's key: of the tests, known to everybody."""
    return keccak256(b"validator %d" % number)


def rlp(item: Any) -> bytes:
    if isinstance(item, list):
        return _prefixed(0xC0, b"".join(map(rlp, item)))
    return item if len(item) == 1 and item[0] < 0x80 else _prefixed(0x80, item)


def _prefixed(base: int, payload: bytes) -> bytes:
    if len(payload) < 56:
        return bytes([base + len(payload)]) + payload
    length = scalar(len(payload))
    return bytes([base + 55 + len(length)]) + length + payload


def scalar(number: int) -> bytes:
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


class Trie:
    """A Merkle-Patricia trie that gives its root and proofs; no key begins with another."""

    def __init__(self, pairs: dict[bytes, bytes]) -> None:
        self.pairs = sorted((self.nibbles(k), v) for k, v in pairs.items())

    @staticmethod
    def nibbles(key: bytes) -> list[int]:
        return [int(digit, 16) for digit in key.hex()]

    @property
    def root(self) -> bytes:
        return keccak256(rlp(self._node(self.pairs, 0)) if self.pairs else b"\x80")

    def prove(self, key: bytes) -> list[bytes]:
        """The nodes that are named by hash, from the root along the key's path, as far as it goes."""
        path, depth, pairs, found = self.nibbles(key), 0, self.pairs, []
        while pairs:
            encoded = rlp(self._node(pairs, depth))
            if len(encoded) >= 32 or depth == 0:
                found.append(encoded)
            shared = self._shared(pairs, depth)
            if len(pairs) == 1 or path[depth:shared] != pairs[0][0][depth:shared]:
                break
            if shared > depth:
                depth = shared
            else:
                pairs = [pair for pair in pairs if pair[0][depth] == path[depth]]
                depth += 1
        return found

    def _shared(self, pairs: Pairs, depth: int) -> int:
        while len(pairs) > 1 and pairs[0][0][depth] == pairs[-1][0][depth]:
            depth += 1
        return depth

    def _node(self, pairs: Pairs, depth: int) -> list[Any]:
        if len(pairs) == 1:
            return [self._compact(pairs[0][0][depth:], 2), pairs[0][1]]
        shared = self._shared(pairs, depth)
        if shared > depth:
            return [self._compact(pairs[0][0][depth:shared], 0), self._link(self._node(pairs, shared))]
        parts = [[pair for pair in pairs if pair[0][depth] == nibble] for nibble in range(16)]
        return [self._link(self._node(part, depth + 1)) if part else b"" for part in parts] + [b""]

    @staticmethod
    def _link(node: list[Any]) -> Any:
        return node if len(rlp(node)) < 32 else keccak256(rlp(node))

    @staticmethod
    def _compact(path: list[int], flag: int) -> bytes:
        full = [flag + 1, *path] if len(path) % 2 else [flag, 0, *path]
        return bytes.fromhex("".join(f"{nibble:x}" for nibble in full))


def log_of(contract: str, topics: list[bytes], data: bytes) -> list[Any]:
    return [word(contract), topics, data]


def bloom(logs: list[list[Any]]) -> bytes:
    bits = 0
    for contract, topics, _ in logs:
        for value in (contract, *topics):
            digest = keccak256(value)
            for i in (0, 2, 4):
                bits |= 1 << int.from_bytes(digest[i : i + 2], "big") % 2048
    return bits.to_bytes(256, "big")


@dataclass
class Block:
    """A block as a node would answer for it: header, receipts, and the state's tries."""

    header: dict[str, str]
    receipts: list[bytes]
    state: Trie
    storage: Trie

    @property
    def number(self) -> int:
        return int(self.header["number"], 16)

    @property
    def hash(self) -> bytes:
        return header_hash(self.header)

    def set_proof(self) -> dict[str, list[str]]:
        """What `eth_getProof` says of the validators' contract and the slot of its digest (1)."""
        slot = keccak256((1).to_bytes(32, "big"))
        return {
            "account": [hexed(node) for node in self.state.prove(keccak256(word(SOURCE)))],
            "digest": [hexed(node) for node in self.storage.prove(slot)],
        }

    def receipt_proof(self, index: int) -> list[str]:
        trie = Trie({rlp(scalar(i)): receipt for i, receipt in enumerate(self.receipts)})
        return [hexed(node) for node in trie.prove(rlp(scalar(index)))]


@dataclass
class Network:
    """A chain that grows by `mine`. `validators` are the keys' numbers that are in force for the next block."""

    validators: list[int]
    blocks: list[Block] = field(default_factory=list)
    salt: bytes = b""

    def __post_init__(self) -> None:
        if not self.blocks:
            self._append([], [], 0, None, self.validators)

    def fork(self, number: int, validators: list[int]) -> "Network":
        """Another history after this block, under the set that was in force then (as the caller knows)."""
        return Network(list(validators), copy.copy(self.blocks[: number + 1]), b"fork")

    def mine(
        self,
        logs: list[list[Any]] | None = None,
        *,
        replace: list[list[int]] | None = None,
        sealers: list[int] | None = None,
        round_: int = 0,
        **changes: str,
    ) -> Block:
        """Append a block with one receipt a log, after replacing the validators by these sets one after another."""
        after = self.validators
        replacing = []
        for chosen in replace or []:
            after = chosen
            replacing.append(log_of(SOURCE, [REPLACED], digest_of(chosen)))
        block = self._append([*replacing, *(logs or [])], after, round_, sealers, self.validators, **changes)
        self.validators = after
        return block

    def _append(
        self,
        logs: list[list[Any]],
        after: list[int],
        round_: int,
        sealers: list[int] | None,
        in_force: list[int],
        **changes: str,
    ) -> Block:
        number = len(self.blocks)
        storage = Trie({keccak256(k.to_bytes(32, "big")): rlp(scalar(v)) for k, v in slots(after or in_force).items()})
        state = Trie(self._accounts(storage, number))
        receipts = [
            b"\x02" + rlp([b"\x01", scalar(50_000 * (i + 1)), bloom([log]), [log]]) for i, log in enumerate(logs)
        ]
        members = {
            "parentHash": hexed(self.blocks[-1].hash) if number else "0x" + "00" * 32,
            "sha3Uncles": EMPTY_LIST,
            "miner": address(key(in_force[number % len(in_force)])) if number else "0x" + "00" * 20,
            "stateRoot": hexed(state.root),
            "transactionsRoot": hexed(keccak256(b"transactions %d" % number + self.salt)),
            "receiptsRoot": hexed(Trie({rlp(scalar(i)): r for i, r in enumerate(receipts)}).root),
            "logsBloom": hexed(bloom(logs)),
            "difficulty": "0x01",
            "number": quantity(number),
            "gasLimit": "0x03938700",
            "gasUsed": quantity(50_000 * len(logs)),
            "timestamp": quantity(GENESIS_TIME + number),
            "extraData": hexed(extra_data(round_, [])),
            "mixHash": MIX,
            "nonce": "0x" + "00" * 8,
            "baseFeePerGas": "0x00",
            **changes,
        }
        block = Block(members, receipts, state, storage)
        if number:
            quorum = -(-2 * len(in_force) // 3)
            chosen = in_force[:quorum] if sealers is None else sealers
            seal(block, [key(i) for i in chosen], round_)
        self.blocks.append(block)
        return block

    def _accounts(self, storage: Trie, number: int) -> dict[bytes, bytes]:
        code = keccak256(b"code")
        accounts = {
            SOURCE: [b"\x01", b"", storage.root, code],
            "0x" + "55" * 20: [scalar(number), b"", keccak256(b"\x80"), keccak256(b"")],
            "0x" + "66" * 20: [b"\x01", b"\x05" + self.salt, keccak256(b"\x80"), keccak256(b"")],
        }
        return {keccak256(word(where)): rlp(account) for where, account in accounts.items()}


def slots(validators: list[int]) -> dict[int, int]:
    """ValidatorSource's storage: length, digest, minimum, and the list from keccak-256 of slot 0 on."""
    base = int.from_bytes(keccak256(bytes(32)), "big")
    members = addresses(validators)
    listed = {base + i: int(member, 16) for i, member in enumerate(members)}
    return {0: len(members), 1: int.from_bytes(digest_of(validators), "big"), 2: 4, **listed}


def addresses(validators: list[int]) -> list[str]:
    return sorted(address(key(number)) for number in validators)


def digest_of(validators: list[int]) -> bytes:
    return keccak256(b"".join(word(member).rjust(32, b"\0") for member in addresses(validators)))


def extra_data(round_: int, seals: list[bytes], *more: Any) -> bytes:
    return rlp([b"tests".rjust(32, b"\0"), [], [], scalar(round_), seals, *more])


def encoded_header(header: dict[str, str], extra: bytes) -> bytes:
    numbers = {"difficulty", "number", "gasLimit", "gasUsed", "timestamp", "baseFeePerGas"}
    numbers |= {"blobGasUsed", "excessBlobGas"}
    values = {name: word(value).lstrip(b"\0") if name in numbers else word(value) for name, value in header.items()}
    return rlp(list({**values, "extraData": extra}.values()))


def header_hash(header: dict[str, str]) -> bytes:
    genesis = int(header["number"], 16) == 0
    return keccak256(encoded_header(header, word(header["extraData"]) if genesis else extra_data(0, [])))


def seal(block: Block, keys: list[bytes], round_: int, *, signed_round: int | None = None) -> None:
    """Put seals of these keys into a header; those of another round if one is given."""
    digest = keccak256(encoded_header(block.header, extra_data(round_ if signed_round is None else signed_round, [])))
    seals = [coincurve.PrivateKey(k).sign_recoverable(digest, hasher=None) for k in keys]
    block.header["extraData"] = hexed(extra_data(round_, seals))


def quantity(number: int) -> str:
    return hexed(scalar(number) or b"\0")
