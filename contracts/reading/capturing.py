"""One block's proofs from one node, held to what is known of the block before they are kept."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from consortium.kernel.digests import keccak256
from consortium.kernel.identifiers import to_hex
from contracts.errors import AnswerUnreadableError
from contracts.events import ContractReference
from contracts.interface import ProvingChain
from contracts.reading.block_proofs import prove_receipt, receipt_bytes, sealed_hash
from contracts.reading.tries import ordered_root
from contracts.reading.validator_sets import DIGEST_SLOT, set_digest
from contracts.rpc.forms import shaped

GENESIS = 0


@dataclass(frozen=True)
class WantedBlock:
    """What is to be proven of a block.

    Attributes
    ----------
    hash : hex of the block that was read, empty where none was (block 0): then the node's own is taken
    transactions : hex hashes of those whose receipts are to be proven
    source : the contract whose list of validators this block's state holds; None where no genesis holds it
    """

    number: int
    hash: str = ""
    transactions: Collection[str] = ()
    source: ContractReference | None = None


@dataclass(frozen=True)
class Captured:
    """What a node gave, in the form that is stored."""

    header: dict[str, str]
    account_nodes: list[str] = field(default_factory=list)
    digest_nodes: list[str] = field(default_factory=list)
    validators: list[str] = field(default_factory=list)
    receipts: list[dict[str, Any]] = field(default_factory=list)


def capture(chain: ProvingChain, wanted: WantedBlock) -> Captured:
    """Ask the node in use for a block's header, receipts and set of validators.

    Raises
    ------
    AnswerUnreadableError
        If what it gives does not belong to the block: nothing of it is kept.
    ChainError
        If it has not all of it (any more), or does not answer.
    """
    with shaped("eth_getBlockByNumber"):
        header = chain.header(wanted.number)
        _require(sealed_hash(header) == _known_hash(chain, wanted), wanted, "header")
    with shaped("eth_getBlockReceipts"):
        receipts = _receipts(chain, wanted, header) if wanted.transactions else []
    with shaped("eth_getProof"):
        return Captured(header, receipts=receipts, **_validators(chain, wanted, header))


def _known_hash(chain: ProvingChain, wanted: WantedBlock) -> bytes | None:
    if wanted.hash:
        return bytes.fromhex(wanted.hash[2:])
    found = chain.block(wanted.number)
    return None if found is None else found.hash


def _receipts(chain: ProvingChain, wanted: WantedBlock, header: Mapping[str, str]) -> list[dict[str, Any]]:
    found = chain.block_receipts(wanted.number)
    root = ordered_root([receipt_bytes(receipt) for receipt in found])
    _require(to_hex(root) == header["receiptsRoot"], wanted, "receipts")
    places = {_hash(receipt): place for place, receipt in enumerate(found)}
    _require(set(wanted.transactions) <= places.keys(), wanted, "receipts")
    return [_receipt(found, places[one], one) for one in sorted(wanted.transactions, key=lambda one: places[one])]


def _receipt(found: Sequence[Mapping[str, Any]], place: int, transaction_hash: str) -> dict[str, Any]:
    nodes = [to_hex(node) for node in prove_receipt(found, place).nodes]
    return {"transaction_hash": transaction_hash, "index": place, "nodes": nodes}


def _validators(chain: ProvingChain, wanted: WantedBlock, header: Mapping[str, str]) -> dict[str, list[str]]:
    if wanted.source is None:
        return {}
    proof = chain.storage_proof(wanted.source.address, DIGEST_SLOT, wanted.number)
    members = [one.lower() for one in chain.call(wanted.source, "getValidators", block=wanted.number)]
    _require(bool(proof.account_nodes and proof.slot_nodes), wanted, "proof of the validators")
    _require(to_hex(keccak256(proof.account_nodes[0])) == header["stateRoot"], wanted, "proof of the validators")
    _require(proof.value.to_bytes(32, "big") == set_digest(members), wanted, "list of validators")
    return {
        "account_nodes": [to_hex(node) for node in proof.account_nodes],
        "digest_nodes": [to_hex(node) for node in proof.slot_nodes],
        "validators": members,
    }


def _hash(receipt: Mapping[str, Any]) -> str:
    value = receipt["transactionHash"]
    return to_hex(value) if isinstance(value, bytes) else str(value).lower()


def _require(holds: bool, wanted: WantedBlock, what: str) -> None:
    if not holds:
        raise AnswerUnreadableError(
            f"The node's {what} of block {wanted.number} is not that of the block that was read.", block=wanted.number
        )
