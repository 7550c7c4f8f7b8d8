"""The first block of a network of our own: QBFT that reads its validators from `ValidatorSource`.

In genesis no constructor runs, so the contract's storage is written here slot by slot, as the compiled
contract's layout says. Forms and key names are those of a genesis that a real Besu network ran on.
"""

from collections.abc import Sequence
from typing import Any

from consortium.kernel.digests import keccak256
from consortium.kernel.secp256k1 import checksum_address
from contracts.artifacts import Artifact, shipped
from contracts.errors import UnknownContractError
from contracts.network.extra_data import ExtraData, encode_extra_data
from contracts.network.members import Numbers
from contracts.network.predeployed import SOURCE_ADDRESS

SOURCE_CONTRACT = "ValidatorSource"
# The order of storage that `source_storage` writes; the artifact's layout is held to it.
SOURCE_LAYOUT = ("_validators", "_digest", "_minimum", "_writer", "_controller")
_BLOCK_FORKS = (
    *("homestead", "eip150", "eip155", "eip158", "byzantium", "constantinople", "petersburg", "istanbul"),
    *("muirGlacier", "berlin", "london"),
)
# QBFT's own mark (IBFT2 and QBFT share it); Besu refuses a block of these networks without it.
_MIX_HASH = "0x63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365"
# A moment in the past that is the same for everybody: equal members files make equal genesis files.
_TIMESTAMP = "0x58ee40ba"
_EPOCH_BLOCKS = 30_000


def build_genesis(numbers: Numbers, validators: Sequence[str], *, relay: str) -> dict[str, Any]:
    """The genesis document.

    Parameters
    ----------
    validators : addresses
        Of all members' nodes, in any order.
    relay : address
        Writes and controls the list until the founding hands both to registry and timelock
        (`contracts.deployment`); it should be no key that anything else uses.
    """
    return {
        "config": _config(numbers),
        "nonce": "0x0",
        "timestamp": _TIMESTAMP,
        "gasLimit": hex(numbers.gas_limit),
        "difficulty": "0x1",
        "coinbase": "0x" + "00" * 20,
        "extraData": "0x" + encode_extra_data(ExtraData()).hex(),
        "mixHash": _MIX_HASH,
        "alloc": {
            SOURCE_ADDRESS.removeprefix("0x"): {
                "balance": "0x0",
                "code": "0x" + source_code().hex(),
                "storage": source_storage(validators, minimum=numbers.minimum_validators, relay=relay),
            }
        },
    }


def source_code() -> bytes:
    """The runtime code of ValidatorSource.

    Raises
    ------
    UnknownContractError
        If the compiled contract keeps values in its code, or its storage in another order than is written here.
    """
    artifact: Artifact = shipped()[SOURCE_CONTRACT]
    layout = tuple(row["label"] for row in artifact.document["storageLayout"])
    places = [(int(row["slot"]), row["offset"]) for row in artifact.document["storageLayout"]]
    if artifact.document["immutableReferences"] or layout != SOURCE_LAYOUT or places != [(n, 0) for n in range(5)]:
        raise UnknownContractError(f"{SOURCE_CONTRACT} keeps its state otherwise than a genesis can write it.")
    return bytes.fromhex(artifact.document["deployedBytecode"].removeprefix("0x"))


def source_storage(validators: Sequence[str], *, minimum: int, relay: str) -> dict[str, str]:
    """The storage of ValidatorSource: slot and word, each 32 bytes in hexadecimal."""
    ring = sorted({int(address, 16) for address in validators})
    packed = b"".join(address.to_bytes(32, "big") for address in ring)
    owner = int(checksum_address(relay), 16)
    first = int.from_bytes(keccak256(bytes(32)), "big")
    head = [len(ring), int.from_bytes(keccak256(packed), "big"), minimum, owner, owner]
    words = dict(enumerate(head)) | {first + place: address for place, address in enumerate(ring)}
    return {_word(slot): _word(value) for slot, value in words.items()}


def _config(numbers: Numbers) -> dict[str, Any]:
    return {
        "chainId": numbers.chain_id,
        **{f"{fork}Block": 0 for fork in _BLOCK_FORKS},
        "shanghaiTime": 0,
        "cancunTime": 0,
        "zeroBaseFee": True,
        "qbft": {
            "epochlength": _EPOCH_BLOCKS,
            "blockperiodseconds": numbers.block_period_seconds,
            # One thing under two names: up to 26.4 Besu reads the one with the x and ignores the other in silence,
            # from 26.8.1 on the other way round. Nodes that read neither would make an empty block each period.
            "xemptyblockperiodseconds": numbers.empty_block_period_seconds,
            "emptyblockperiodseconds": numbers.empty_block_period_seconds,
            "requesttimeoutseconds": numbers.request_timeout_seconds,
            "validatorcontractaddress": SOURCE_ADDRESS,
        },
    }


def _word(value: int) -> str:
    return f"0x{value:064x}"
