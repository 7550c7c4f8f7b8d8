"""QBFT's part of a block's header: `extraData`, RLP of vanity, validators, vote, round and seals."""

from dataclasses import dataclass

import rlp
from rlp.exceptions import DecodingError

from contracts.network.errors import HeaderError

VANITY_BYTES = 32
ADDRESS_BYTES = 20
SEAL_BYTES = 65


@dataclass(frozen=True, slots=True)
class ExtraData:
    """What consensus adds to a header.

    `validators` is empty in contract mode, `vote` too. `round` counts from 0: above it, that many
    proposers let their turn pass. `seals` are not checked here; `verifier/` does that.
    """

    vanity: bytes = bytes(VANITY_BYTES)
    validators: tuple[bytes, ...] = ()
    vote: tuple[bytes, ...] = ()
    round: int = 0
    seals: tuple[bytes, ...] = ()


def decode_extra_data(raw: bytes) -> ExtraData:
    """Read extraData strictly: exactly five items of their sizes, nothing behind them.

    Raises
    ------
    HeaderError
        If it is not QBFT's, as on a development chain.
    """
    try:
        items = rlp.decode(raw)
    except DecodingError as error:
        raise HeaderError("The block's extraData is not QBFT's: it is no RLP.") from error
    if not isinstance(items, list) or len(items) != 5:
        raise HeaderError("The block's extraData is not QBFT's: it has not five items.")
    vanity, validators, vote, number, seals = items
    if not _is_bytes(vanity, VANITY_BYTES) or not isinstance(vote, list):
        raise HeaderError("The block's extraData is not QBFT's: vanity or vote has another form.")
    return ExtraData(vanity, _sized(validators, ADDRESS_BYTES), tuple(vote), _scalar(number), _sized(seals, SEAL_BYTES))


def encode_extra_data(value: ExtraData) -> bytes:
    """Write extraData; of an empty one, what a genesis in contract mode carries."""
    number = value.round.to_bytes((value.round.bit_length() + 7) // 8, "big")
    return bytes(rlp.encode([value.vanity, list(value.validators), list(value.vote), number, list(value.seals)]))


def _is_bytes(item: object, size: int) -> bool:
    return isinstance(item, bytes) and len(item) == size


def _sized(items: object, size: int) -> tuple[bytes, ...]:
    if not isinstance(items, list) or not all(_is_bytes(item, size) for item in items):
        raise HeaderError(f"The block's extraData is not QBFT's: items of {size} bytes are expected.")
    return tuple(items)


def _scalar(item: object) -> int:
    if not isinstance(item, bytes) or len(item) > 4 or item[:1] == b"\0":
        raise HeaderError("The block's extraData is not QBFT's: the round is no number.")
    return int.from_bytes(item, "big")
