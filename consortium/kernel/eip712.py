"""The consortium's typed messages (EIP-712): what organizations sign, and for which contract.

The contracts declare the same type texts; a test of theirs compares the hashes. A message is signed in the
domain of one contract on one chain, so that it means nothing anywhere else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from consortium.kernel.digests import keccak256
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.structured_data import StructType, encode_type, hash_struct, signing_encoding

VERSION = "1"
AGENT_DOMAIN = "Consilium agent"

_TEXTS: Mapping[str, tuple[str, ...]] = {
    "ConsortiumRegistry": (
        "RotateKey(bytes32 organization,uint8 purpose,address newKey,uint256 nonce,uint64 deadline)",
    ),
    "ConsortiumGovernor": (
        "ProposeAct(bytes32 organization,uint8 kind,bytes arguments,string description,uint256 nonce,uint64 deadline)",
        # OpenZeppelin Governor's own
        "Ballot(uint256 proposalId,uint8 support,address voter,uint256 nonce)",
    ),
    "Guardian": ("Veto(bytes32 operation,bytes32 subject)",),
    "DecisionBoard": (
        "OpenDecision(uint8 kind,bytes32 subject,bytes32 policy,bytes32 author,bytes32[] owners,"
        "uint256 nonce,uint64 deadline)",
        "CastBallot(bytes32 decision,bytes32 subject,bytes32 organization,uint8 choice)",
    ),
    "ConsentAnchor": (
        "AnchorEpoch(bytes32 organization,uint64 epoch,bytes32 root,uint32 band,uint64 seq,uint64 asOf)",
        "RevokeConsents(bytes32 organization,uint64 epoch,uint64 seq,bytes32[] subjects)",
    ),
    "TrainingLedger": (
        "Commitment(bytes32 run,uint32 round,uint32 attempt,bytes32 organization,bytes32 plan,bytes32 weights,"
        "bytes32 cohortRoot,uint32 band,uint64 epoch,uint64 seq,uint64 asOf,uint64 blockNumber,bytes32 blockHash,"
        "bytes32 maskKeys,bytes32 privacyEvent,uint64 validUntilBlock)",
        "RoundResult(bytes32 run,uint32 round,uint32 attempt,uint256 survivors,bytes32 maskedDigests,"
        "bytes32 aggregate,bytes32 nextWeights)",
        "SurvivorSet(bytes32 run,uint32 round,uint32 attempt,bytes32 roster,uint256 survivors,"
        "bytes32 maskedDigests,bytes32 weights)",
        "ShareDeal(bytes32 run,uint32 round,uint32 attempt,bytes32 organization,bytes32 commitments)",
        "CancelRun(bytes32 run,bytes32 reason)",
    ),
    "ModelRegistry": ("RegisterCandidate(bytes32 model,bytes32 run,bytes32 card)",),
    "AuditAnchor": ("Checkpoint(bytes32 log,uint64 size,bytes32 root)",),
    # Requests that an agent sends to the platform: no contract ever reads them.
    AGENT_DOMAIN: ("AgentRequest(bytes32 organization,bytes32 method_path,bytes32 body,uint64 time,bytes32 nonce)",),
}

TYPES: Mapping[str, StructType] = MappingProxyType(
    {struct.name: struct for texts in _TEXTS.values() for struct in map(StructType.parse, texts)}
)
DOMAIN_OF: Mapping[str, str] = MappingProxyType(
    {StructType.parse(text).name: domain for domain, texts in _TEXTS.items() for text in texts}
)


@dataclass(frozen=True, slots=True)
class Domain:
    """Where a signature holds: a contract (its name and address) on a chain; no address off chain."""

    name: str
    chain_id: int
    contract: str | None = None

    def separator(self) -> bytes:
        """Return the EIP-712 domain separator; the version is "1" everywhere."""
        return _separator(self.name, self.chain_id, self.contract)


# The same few domains stand in every signature that is checked. Typed, for True is no chain id though it equals 1.
@lru_cache(maxsize=256, typed=True)
def _separator(name: str, chain_id: int, contract: str | None) -> bytes:
    text = "EIP712Domain(string name,string version,uint256 chainId"
    fields: dict[str, Any] = {"name": name, "version": VERSION, "chainId": chain_id}
    if contract is not None:
        text += ",address verifyingContract"
        fields["verifyingContract"] = contract
    return hash_struct({"EIP712Domain": StructType.parse(text + ")")}, "EIP712Domain", fields)


def struct_type(primary: str) -> str:
    """Return a message's type text, as the contract's type hash is computed from it."""
    _require_known(primary)
    return encode_type(TYPES, primary)


def typed_hash(domain: Domain, primary: str, message: Mapping[str, Any]) -> bytes:
    """Return the 32 bytes that an organization signs for this message in this domain.

    Raises
    ------
    InvalidInputError
        If the type is unknown, belongs to another contract's domain, or the message does not fit it exactly
        (see `structured_data.hash_struct`).
    """
    return keccak256(typed_encoding(domain, primary, message))


def typed_encoding(domain: Domain, primary: str, message: Mapping[str, Any]) -> bytes:
    """Return the 66 bytes whose keccak-256 is `typed_hash`: what is sent to signers that hash by themselves."""
    _require_known(primary)
    if domain.name != DOMAIN_OF[primary] or (domain.contract is None) != (domain.name == AGENT_DOMAIN):
        raise InvalidInputError(f"A {primary} is signed for {DOMAIN_OF[primary]}, not for {domain.name}.")
    return signing_encoding(domain.separator(), hash_struct(TYPES, primary, message))


def typed_document(domain: Domain, primary: str, message: Mapping[str, Any]) -> dict[str, Any]:
    """Return the message as `eth_signTypedData` takes it: types, domain and values, integers as decimal texts."""
    typed_encoding(domain, primary, message)
    members = {name: kind for kind, name in TYPES[primary].members}
    with_address = [("address", "verifyingContract")] if domain.contract else []
    domain_members = [("string", "name"), ("string", "version"), ("uint256", "chainId"), *with_address]
    place = {"verifyingContract": domain.contract} if domain.contract else {}
    return {
        "types": {
            "EIP712Domain": [{"name": name, "type": kind} for kind, name in domain_members],
            primary: [{"name": name, "type": kind} for name, kind in members.items()],
        },
        "primaryType": primary,
        "domain": {"name": domain.name, "version": VERSION, "chainId": str(domain.chain_id)} | place,
        "message": {name: _plain(message[name]) for name in members},
    }


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return str(value) if type(value) is int else value


def _require_known(primary: str) -> None:
    if primary not in TYPES:
        raise InvalidInputError(f"{primary!r} is not a message of the consortium.")
