"""`proofs/statements.json`: what organizations signed (EIP-712), each with the record that it belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consilium_verify.canonical import parse_canonical_object
from consilium_verify.ethereum import recover, typed_data_digest
from consilium_verify.fields import array, exact, natural, raw, text
from consilium_verify.findings import Findings, RefusedError
from consilium_verify.manifest import Manifest
from consilium_verify.trust import Trust

STATEMENTS = "proofs/statements.json"

# type text: the contract in whose domain it is signed, and the purpose of the key that signs it
KNOWN_TYPES: Mapping[str, tuple[str, str]] = {
    "RotateKey(bytes32 organization,uint8 purpose,address newKey,uint256 nonce,uint64 deadline)": (
        "ConsortiumRegistry",
        "vote",
    ),
    "ProposeAct(bytes32 organization,uint8 kind,bytes arguments,string description,uint256 nonce,uint64 deadline)": (
        "ConsortiumGovernor",
        "vote",
    ),
    "Ballot(uint256 proposalId,uint8 support,address voter,uint256 nonce)": ("ConsortiumGovernor", "vote"),
    "Veto(bytes32 operation,bytes32 subject)": ("Guardian", "vote"),
    "OpenDecision(uint8 kind,bytes32 subject,bytes32 policy,bytes32 author,bytes32[] owners,uint256 nonce,"
    "uint64 deadline)": ("DecisionBoard", "vote"),
    "CastBallot(bytes32 decision,bytes32 subject,bytes32 organization,uint8 choice)": ("DecisionBoard", "vote"),
    "AnchorEpoch(bytes32 organization,uint64 epoch,bytes32 root,uint32 band,uint64 seq,uint64 asOf)": (
        "ConsentAnchor",
        "site",
    ),
    "RevokeConsents(bytes32 organization,uint64 epoch,uint64 seq,bytes32[] subjects)": ("ConsentAnchor", "site"),
    "Commitment(bytes32 run,uint32 round,uint32 attempt,bytes32 organization,bytes32 plan,bytes32 weights,"
    "bytes32 cohortRoot,uint32 band,uint64 epoch,uint64 seq,uint64 asOf,uint64 blockNumber,bytes32 blockHash,"
    "bytes32 maskKeys,bytes32 privacyEvent,uint64 validUntilBlock)": ("TrainingLedger", "site"),
    "RoundResult(bytes32 run,uint32 round,uint32 attempt,uint256 survivors,bytes32 maskedDigests,bytes32 aggregate,"
    "bytes32 nextWeights)": ("TrainingLedger", "site"),
    "SurvivorSet(bytes32 run,uint32 round,uint32 attempt,bytes32 roster,uint256 survivors,bytes32 maskedDigests,"
    "bytes32 weights)": ("TrainingLedger", "site"),
    "ShareDeal(bytes32 run,uint32 round,uint32 attempt,bytes32 organization,bytes32 commitments)": (
        "TrainingLedger",
        "site",
    ),
    "CancelRun(bytes32 run,bytes32 reason)": ("TrainingLedger", "site"),
    "RegisterCandidate(bytes32 model,bytes32 run,bytes32 card)": ("ModelRegistry", "site"),
    "Checkpoint(bytes32 log,uint64 size,bytes32 root)": ("AuditAnchor", "site"),
}


@dataclass(frozen=True, slots=True)
class Statement:
    """A statement whose signature holds; `number` is its place in the file, from 1."""

    number: int
    organization: bytes
    message: Mapping[str, Any]


def check_statements(
    entries: Mapping[str, bytes],
    manifest: Manifest,
    records: Mapping[int, Mapping[str, Any]],
    trust: Trust | None,
    findings: Findings,
) -> list[Statement]:
    """Recover each statement's signer, hold it to the trust file, and return those that hold; the file is optional."""
    found: list[Statement] = []
    if STATEMENTS not in entries:
        return found
    with findings.at(STATEMENTS):
        value = exact(parse_canonical_object(entries[STATEMENTS]), "statements")
        statements = array(value["statements"], 100_000)
        before = len(findings.refusals)
        for number, statement in enumerate(statements, start=1):
            with findings.at(f"{STATEMENTS} statement {number}"):
                organization = _check(statement, manifest, records, trust)
                found.append(Statement(number, organization, statement["message"]))
        if len(findings.refusals) == before:
            findings.checked.append(f"{len(statements)} statements bear a signature of their own")
            if trust is None or not trust.organizations:
                findings.unchecked.append("whose keys signed the statements: the trust file names no organizations")
    return found


def _check(statement: Any, manifest: Manifest, records: Mapping[int, Mapping[str, Any]], trust: Trust | None) -> bytes:
    """Return the organization that signed."""
    exact(statement, "type", "organization", "message", "signature", "line")
    type_text = text(statement["type"])
    if type_text not in KNOWN_TYPES:
        raise RefusedError("the type is not one of the consortium's messages")
    contract, purpose = KNOWN_TYPES[type_text]
    if contract not in manifest.chain.contracts:
        raise RefusedError(f"the manifest names no contract {contract}")
    address = manifest.chain.contracts[contract]
    digest = typed_data_digest(contract, manifest.chain.chain_id, address, type_text, statement["message"])
    organization, signer = raw(statement["organization"], 32), recover(digest, raw(statement["signature"]))
    _check_speaker(statement["message"], organization, signer)
    if trust is not None and trust.organizations:
        member = trust.organizations.get(organization)
        if member is None or not member.held(purpose, signer):
            raise RefusedError(f"the signature is not by the {purpose} key of 0x{organization.hex()}")
    if statement["line"] is not None:
        record = records.get(natural(statement["line"]), {})
        if record.get("statement") != "0x" + digest.hex():
            raise RefusedError(f"the record of line {statement['line']} does not name this statement")
    return organization


def _check_speaker(message: Mapping[str, Any], organization: bytes, signer: bytes) -> None:
    for name, speaker in (("organization", organization), ("author", organization), ("voter", signer)):
        if name in message and raw(message[name]) != speaker:
            raise RefusedError("the message speaks for another organization")
