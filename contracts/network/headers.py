"""Headers of a QBFT chain as far as consensus shows in them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contracts.errors import BlockNotFoundError
from contracts.network.asking import Node
from contracts.network.errors import HeaderError
from contracts.network.extra_data import decode_extra_data


@dataclass(frozen=True, slots=True)
class SealedHeader:
    """Who made a block and after how many rounds; `proposer` in small letters, `time` in Unix seconds."""

    number: int
    hash: str
    time: int
    proposer: str
    round: int


def read_header(node: Node, block: int | str) -> dict[str, Any]:
    """A header as the node writes it, of a number or "latest"; `BlockNotFoundError` if it does not have it."""
    found = node.ask("eth_getBlockByNumber", [hex(block) if isinstance(block, int) else block, False])
    if not isinstance(found, Mapping):
        raise BlockNotFoundError(f"The node does not have block {block}.", block=block)
    return dict(found)


def sealed_header(found: Mapping[str, Any]) -> SealedHeader:
    """Read a header of QBFT; `HeaderError` if it is another chain's."""
    try:
        extra = bytes.fromhex(str(found["extraData"]).removeprefix("0x"))
        number, time = int(found["number"], 16), int(found["timestamp"], 16)
        proposer, digest = str(found["miner"]).lower(), str(found["hash"])
    except (KeyError, ValueError) as error:
        raise HeaderError("The node's block has no header of an Ethereum chain.") from error
    return SealedHeader(number, digest, time, proposer, decode_extra_data(extra).round)
