"""How the timelock names what waits in it: a veto speaks of that, and not of a proposal."""

from collections.abc import Mapping
from typing import Any

from consortium.kernel.digests import keccak256
from consortium.kernel.identifiers import from_hex
from contracts.rpc.codec import encode_arguments

_HASHED = [
    {"name": "targets", "type": "address[]"},
    {"name": "values", "type": "uint256[]"},
    {"name": "payloads", "type": "bytes[]"},
    {"name": "predecessor", "type": "bytes32"},
    {"name": "salt", "type": "bytes32"},
]


def timelock_operation(governor: str, call: Mapping[str, Any]) -> bytes:
    """Return the timelock's id of a proposal of this governor.

    Parameters
    ----------
    call : mapping
        Targets, values, calldatas and description, as OpenZeppelin's ProposalCreated gave them.
    """
    payloads = [from_hex(data) for data in call["calldatas"]]
    hashed = [call["targets"], call["values"], payloads, bytes(32), timelock_salt(governor, call["description"])]
    return keccak256(encode_arguments(_HASHED, hashed))


def timelock_salt(governor: str, description: str) -> bytes:
    """Return the salt of the governor's operations: its address over the description's digest."""
    mask = from_hex(governor, size_bytes=20) + bytes(12)
    digest = keccak256(description.encode())
    return bytes(left ^ right for left, right in zip(mask, digest, strict=True))
