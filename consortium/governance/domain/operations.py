"""How the timelock names what waits in it: a veto speaks of that, and not of a proposal."""

from collections.abc import Mapping
from typing import Any

from consortium.kernel.digests import keccak256
from consortium.kernel.eip712 import Domain, typed_hash
from consortium.kernel.identifiers import from_hex
from contracts.rpc.codec import encode_arguments

_HASHED = [
    {"name": "targets", "type": "address[]"},
    {"name": "values", "type": "uint256[]"},
    {"name": "payloads", "type": "bytes[]"},
    {"name": "predecessor", "type": "bytes32"},
    {"name": "salt", "type": "bytes32"},
]


_CALL = [{"name": "target", "type": "address"}, {"name": "data", "type": "bytes"}]
GUARDIAN = "Guardian"


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


def vetoed_subject(call: Mapping[str, Any]) -> bytes:
    """Return what is vetoed once: the call itself, whoever proposed it and in whatever words."""
    return keccak256(encode_arguments(_CALL, [call["targets"][0], from_hex(call["calldatas"][0])]))


def veto_digest(*, governor: str, guardian: str, chain_id: int, call: Mapping[str, Any]) -> bytes:
    """Return the 32 bytes that guardians sign to stop a proposal of this governor."""
    message = {"operation": timelock_operation(governor, call), "subject": vetoed_subject(call)}
    return typed_hash(Domain(GUARDIAN, chain_id, guardian), "Veto", message)
