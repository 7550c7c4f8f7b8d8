"""The compiled contracts that ship with us: complete, small enough, current, and of one mind with the kernel."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from consortium.kernel.eip712 import AGENT_DOMAIN, DOMAIN_OF, struct_type

ROOT = Path(__file__).parents[2]
ABI = ROOT / "contracts" / "abi"
SOLIDITY = ROOT / "contracts" / "solidity"
# EIP-170: a block may not create more runtime code than this
MAX_RUNTIME_BYTES = 24_576
# EIP-3860
MAX_INITCODE_BYTES = 49_152

CONTRACTS = {
    "ValidatorSource",
    "ConsortiumRegistry",
    "ConsortiumGovernor",
    "Guardian",
    "DecisionBoard",
    "ConsentAnchor",
    "TrainingLedger",
    "ModelRegistry",
    "AuditAnchor",
    "CrossConsortiumInbox",
    "TimelockController",
}
TYPE_CONSTANTS = {
    "RotateKey": "ROTATE_KEY_TYPEHASH",
    "ProposeAct": "PROPOSE_ACT_TYPEHASH",
    "Ballot": "BALLOT_TYPEHASH",
    "Veto": "VETO_TYPEHASH",
    "OpenDecision": "OPEN_DECISION_TYPEHASH",
    "CastBallot": "CAST_BALLOT_TYPEHASH",
    "AnchorEpoch": "ANCHOR_EPOCH_TYPEHASH",
    "RevokeConsents": "REVOKE_CONSENTS_TYPEHASH",
    "Commitment": "COMMITMENT_TYPEHASH",
    "RoundResult": "ROUND_RESULT_TYPEHASH",
    "SurvivorSet": "SURVIVOR_SET_TYPEHASH",
    "ShareDeal": "SHARE_DEAL_TYPEHASH",
    "CancelRun": "CANCEL_RUN_TYPEHASH",
    "RegisterCandidate": "REGISTER_CANDIDATE_TYPEHASH",
    "Checkpoint": "CHECKPOINT_TYPEHASH",
}
SIGNED = [primary for primary, domain in DOMAIN_OF.items() if domain != AGENT_DOMAIN]


def artifact(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((ABI / f"{name}.json").read_text())
    return document


def code(name: str, part: str) -> bytes:
    return bytes.fromhex(artifact(name)[part].removeprefix("0x"))


def entries(name: str, kind: str) -> set[str]:
    return {entry["name"] for entry in artifact(name)["abi"] if entry["type"] == kind}


def test_every_contract_has_its_artifact_and_nothing_else_lies_there() -> None:
    assert {path.stem for path in ABI.glob("*.json")} == CONTRACTS


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_code_fits_the_limits_of_the_chain(name: str) -> None:
    assert artifact(name)["contractName"] == name
    assert 0 < len(code(name, "deployedBytecode")) < MAX_RUNTIME_BYTES
    assert 0 < len(code(name, "bytecode")) < MAX_INITCODE_BYTES


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_artifact_is_of_the_sources_that_lie_beside_it(name: str) -> None:
    sources = artifact(name)["sources"]
    folders = {path: ROOT / "node_modules" if path.startswith("@") else SOLIDITY for path in sources}
    present = {path: folder / path for path, folder in folders.items() if not path.startswith("@") or folder.exists()}

    stale = [path for path, file in present.items() if "0x" + keccak(file.read_bytes()).hex() != sources[path]]

    assert sources
    assert stale == [], "run 'node contracts/solidity/build.mjs'"


@pytest.mark.parametrize("name", sorted(CONTRACTS))
def test_artifact_names_no_path_of_the_machine_that_built_it(name: str) -> None:
    document = artifact(name)
    assert all(path.startswith(("src/", "@openzeppelin/contracts/")) for path in document["sources"])
    assert str(ROOT) not in json.dumps(document)
    assert document["compiler"]["settings"]["metadata"]["bytecodeHash"] == "none"
    assert document["compiler"]["settings"]["evmVersion"] == "cancun"


def test_every_message_that_members_sign_has_a_constant() -> None:
    assert set(SIGNED) == set(TYPE_CONSTANTS)


@pytest.mark.parametrize("primary", SIGNED)
def test_contract_and_kernel_hash_the_same_type_text(primary: str) -> None:
    contract = DOMAIN_OF[primary]
    # a constant's getter pushes its 32 bytes: PUSH32 is 0x7f
    pushed = b"\x7f" + keccak(text=struct_type(primary))

    assert TYPE_CONSTANTS[primary] in entries(contract, "function")
    assert pushed in code(contract, "deployedBytecode")


def test_validator_list_lies_in_the_slots_that_genesis_writes() -> None:
    layout = {
        entry["label"]: (int(entry["slot"]), entry["offset"]) for entry in artifact("ValidatorSource")["storageLayout"]
    }

    assert layout == {
        "_validators": (0, 0),
        "_digest": (1, 0),
        "_minimum": (2, 0),
        "_writer": (3, 0),
        "_controller": (4, 0),
    }
    # predeployed code has no constructor to fill them
    assert artifact("ValidatorSource")["immutableReferences"] == []


def test_immutable_references_lie_within_the_runtime_code() -> None:
    for name in sorted(CONTRACTS - {"ValidatorSource", "TimelockController"}):
        references = artifact(name)["immutableReferences"]
        runtime = code(name, "deployedBytecode")
        assert references, name
        assert all(runtime[r["start"] : r["start"] + r["length"]] == bytes(r["length"]) for r in references), name


def test_errors_are_named_after_their_component() -> None:
    prefixes = {
        "ValidatorSource": "ValidatorSource",
        "DecisionBoard": "Board",
        "ConsentAnchor": "Consent",
        "TrainingLedger": "Ledger",
        "ModelRegistry": "Model",
        "Guardian": "Guardian",
        "AuditAnchor": "Audit",
        "CrossConsortiumInbox": "Inbox",
    }
    # OpenZeppelin's own, which come along
    foreign = {
        *("InvalidShortString", "StringTooLong", "SafeCastOverflowedUintDowncast"),
        *("RLPInvalidEncoding", "TrieProofTraversalError", "FieldNotPresentInBlockHeader"),
    }
    for name, prefix in prefixes.items():
        own = entries(name, "error") - foreign
        assert own, name
        assert all(error.startswith(prefix) for error in own), name
