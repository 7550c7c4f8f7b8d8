"""Whether the code at an address is the one that ships with us, with the right values built in."""

from collections.abc import Mapping

from consortium.kernel.digests import keccak256
from consortium.kernel.eip712 import VERSION, Domain
from contracts.artifacts import Artifact

_WORD = 32
# EIP-712 contracts of OpenZeppelin build in a short string's bytes with its length in the last one.
_LONGEST_SHORT_STRING = 31


def is_shipped_code(
    code: bytes, artifact: Artifact, *, address: str, chain_id: int, contracts: Mapping[str, str]
) -> bool:
    """Tell whether deployed code is our compiler's output for this contract of this consortium.

    Immutable values are cut out before the comparison, and each must be one that belongs there: an address of the
    consortium's own contracts, or a constant of the contract's EIP-712 domain. So a copy of our code that obeys
    another registry is not taken for ours.
    """
    expected = bytearray(bytes.fromhex(artifact.document["deployedBytecode"].removeprefix("0x")))
    if len(code) != len(expected) or not code:
        return False
    allowed = _allowed_words(artifact.name, address, chain_id, contracts)
    found = bytearray(code)
    for place in artifact.document["immutableReferences"]:
        start, end = place["start"], place["start"] + place["length"]
        if bytes(found[start:end]) not in allowed:
            return False
        found[start:end] = expected[start:end] = bytes(end - start)
    return found == expected


def _allowed_words(name: str, address: str, chain_id: int, contracts: Mapping[str, str]) -> set[bytes]:
    words = {_address_word(other) for other in contracts.values()}
    words |= {_address_word(address), chain_id.to_bytes(_WORD, "big")}
    words |= {keccak256(text.encode()) for text in (name, VERSION)}
    words |= {_short_string(text) for text in (name, VERSION)}
    return words | {Domain(name, chain_id, address).separator()}


def _address_word(address: str) -> bytes:
    return bytes.fromhex(address.removeprefix("0x")).rjust(_WORD, b"\0")


def _short_string(text: str) -> bytes:
    raw = text.encode()
    return raw.ljust(_LONGEST_SHORT_STRING, b"\0") + bytes([len(raw)])
