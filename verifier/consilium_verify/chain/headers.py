"""Headers of blocks, read strictly, and their hashes: Ethereum's, and QBFT's, which leaves out round and seals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from consilium_verify.chain import rlp
from consilium_verify.ethereum import keccak256
from consilium_verify.fields import raw
from consilium_verify.findings import RefusedError

# In the order of their RLP list, with their sizes in bytes: 0 is a number, None any. The last six came one or more
# a fork, with London, Shanghai, Cancun and Prague.
MEMBERS: Mapping[str, int | None] = {
    **{"parentHash": 32, "sha3Uncles": 32, "miner": 20, "stateRoot": 32, "transactionsRoot": 32, "receiptsRoot": 32},
    **{"logsBloom": 256, "difficulty": 0, "number": 0, "gasLimit": 0, "gasUsed": 0, "timestamp": 0},
    **{"extraData": None, "mixHash": 32, "nonce": 8, "baseFeePerGas": 0, "withdrawalsRoot": 32, "blobGasUsed": 0},
    **{"excessBlobGas": 0, "parentBeaconBlockRoot": 32, "requestsHash": 32},
}
_NAMES = list(MEMBERS)
_REQUIRED = 15
_EXTRA = _NAMES.index("extraData")
_MOST_EXTRA, _MOST_NUMBER, _MOST_ROUND = 65536, 32, 4
VANITY, ADDRESS, SEAL = 32, 20, 65


@dataclass(frozen=True, slots=True)
class Extra:
    """QBFT's extraData. `validators` and `vote` are empty where a contract keeps the list."""

    vanity: bytes
    validators: tuple[bytes, ...]
    vote: rlp.Item
    round: int
    seals: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Header:
    """A block's header by the bytes of its members; numbers are without leading zeros."""

    parent_hash: bytes
    proposer: bytes
    state_root: bytes
    transactions_root: bytes
    receipts_root: bytes
    bloom: bytes
    number: int
    timestamp: int
    extra_data: bytes
    # The encoded members before extraData, and after it: what stays the same in all hashes of one header.
    before: bytes = field(repr=False)
    after: bytes = field(repr=False)

    def hash_with(self, extra_data: bytes) -> bytes:
        """Return keccak-256 of the header's RLP with another extraData."""
        return keccak256(rlp.prefixed(0xC0, self.before + rlp.encode(extra_data) + self.after))


def read_header(members: Mapping[str, Any]) -> Header:
    """Return the header of members by their RPC names, as lower-case hexadecimal of whole bytes.

    Raises
    ------
    RefusedError
        If a member is missing, too many, or has another size; or a fork's is there without those before it.
    """
    present = _NAMES[: len(members)]
    if members.keys() != set(present) or len(present) < _REQUIRED:
        raise RefusedError("the block header does not have the members of an Ethereum header")
    values = [_value(name, members[name]) for name in present]
    encoded = [rlp.encode(value) for value in values]
    by_name = dict(zip(present, values, strict=True))
    return Header(
        by_name["parentHash"],
        by_name["miner"],
        by_name["stateRoot"],
        by_name["transactionsRoot"],
        by_name["receiptsRoot"],
        by_name["logsBloom"],
        int.from_bytes(by_name["number"], "big"),
        int.from_bytes(by_name["timestamp"], "big"),
        by_name["extraData"],
        b"".join(encoded[:_EXTRA]),
        b"".join(encoded[_EXTRA + 1 :]),
    )


def plain_hash(header: Header) -> bytes:
    """Return the hash of a header that holds no seals: of a development chain, and of every block 0."""
    return header.hash_with(header.extra_data)


def block_hash(header: Header) -> bytes:
    """Return the hash of a block of a QBFT chain: round 0 and an empty list of seals stand in for the real ones."""
    if header.number == 0:
        return plain_hash(header)
    return header.hash_with(write_extra(read_extra(header), 0, ()))


def seal_digest(header: Header) -> bytes:
    """Return what a committed seal signs: the header with its real round and an empty list of seals."""
    extra = read_extra(header)
    return header.hash_with(write_extra(extra, extra.round, ()))


def read_extra(header: Header) -> Extra:
    """Return QBFT's extraData.

    Exactly five items: a client skips further ones when it reads, and they would lie outside of every hash.
    """
    try:
        vanity, validators, vote, number, seals = rlp.items(rlp.decode(header.extra_data), 5)
        return Extra(
            rlp.string(vanity, VANITY),
            tuple(rlp.string(address, ADDRESS) for address in rlp.items(validators)),
            vote,
            rlp.number(number, _MOST_ROUND),
            tuple(rlp.string(seal, SEAL) for seal in rlp.items(seals)),
        )
    except RefusedError as error:
        raise RefusedError(f"extraData is not QBFT's: {error}") from error


def write_extra(extra: Extra, number: int, seals: Sequence[bytes]) -> bytes:
    """Return extraData with this round and these seals."""
    return rlp.encode([extra.vanity, extra.validators, extra.vote, rlp.scalar(number), seals])


def _value(name: str, written: Any) -> bytes:
    data, size = raw(written), MEMBERS[name]
    if size == 0:
        if len(data) > 1 and data[0] == 0:
            raise RefusedError(f"the header's {name} is a number with leading zeros")
        data = data.lstrip(b"\0")
    if size != len(data) if size else len(data) > (_MOST_EXTRA if size is None else _MOST_NUMBER):
        raise RefusedError(f"the header's {name} has {len(data)} bytes")
    return data
