"""Verification of trie proofs: that a key has a value under a root, or that it has none."""

from collections.abc import Mapping
from typing import Any

from consortium.kernel.errors import InvalidInputError, InvalidProofError
from consortium.kernel.hashing import require_hash
from consortium.kernel.identifiers import from_hex, to_hex
from consortium.kernel.trie import EMPTY, KEY_BITS, TrieProof, branch_hash, key_bit, leaf_node_hash, trie_root


def verify_inclusion(proof: TrieProof, *, kind: str, key: bytes, value: bytes, root: bytes) -> None:
    """Return if the key has this value under the root; `InvalidProofError` otherwise."""
    if proof.terminal != (key, value):
        raise InvalidProofError("The proof ends at another leaf: the key does not have this value.")
    _verify_way(proof, kind=kind, key=key, root=root)


def verify_absence(proof: TrieProof, *, kind: str, key: bytes, root: bytes) -> None:
    """Return if no leaf under the root has the key; `InvalidProofError` otherwise."""
    if proof.terminal is not None and proof.terminal[0] == key:
        raise InvalidProofError("The proof ends at the key itself: the key is there.")
    _verify_way(proof, kind=kind, key=key, root=root)


def proof_to_json(proof: TrieProof) -> dict[str, Any]:
    """Return the proof as a JSON object."""
    terminal = None if proof.terminal is None else [to_hex(part) for part in proof.terminal]
    return {"count": proof.count, "siblings": [to_hex(sibling) for sibling in proof.siblings], "terminal": terminal}


def proof_from_json(value: Mapping[str, Any]) -> TrieProof:
    """Read a proof from a JSON object; `InvalidProofError` if it is not one."""
    try:
        count, siblings, terminal = value["count"], value["siblings"], value["terminal"]
        if type(count) is not int or len(value) != 3 or len(siblings) > KEY_BITS:
            raise InvalidProofError("A trie proof has count, siblings and terminal, and at most 256 siblings.")
        end = None if terminal is None else (_hash(terminal[0]), _hash(terminal[1]))
        return TrieProof(count, tuple(_hash(sibling) for sibling in siblings), end)
    except (InvalidInputError, KeyError, IndexError, TypeError) as error:
        raise InvalidProofError("The trie proof is malformed.") from error


def _hash(text: str) -> bytes:
    return from_hex(text, size_bytes=32)


def _verify_way(proof: TrieProof, *, kind: str, key: bytes, root: bytes) -> None:
    for value in (key, root, *proof.siblings, *(proof.terminal or ())):
        _require_hash(value)
    depth = len(proof.siblings)
    if depth > KEY_BITS or not 0 <= proof.count < 2**64:
        raise InvalidProofError("The proof is longer than a key, or its count is out of range.")
    _require_compact(proof)
    result = EMPTY if proof.terminal is None else leaf_node_hash(*proof.terminal)
    if proof.terminal is not None and _prefix(proof.terminal[0], depth) != _prefix(key, depth):
        raise InvalidProofError("The leaf at the end of the way lies elsewhere.")
    for level in range(depth - 1, -1, -1):
        sibling = proof.siblings[level]
        result = branch_hash(sibling, result) if key_bit(key, level) else branch_hash(result, sibling)
    if trie_root(kind, proof.count, result) != root:
        raise InvalidProofError("The proof does not lead to the root.")


def _require_compact(proof: TrieProof) -> None:
    """Refuse what no honest builder makes: a lone leaf or nothing below a branch, a count below the leaves seen."""
    if proof.siblings and proof.siblings[-1] == EMPTY:
        raise InvalidProofError("The proof's trie is not compact: a subtree with one leaf must be that leaf.")
    others = sum(sibling != EMPTY for sibling in proof.siblings)
    if proof.count < others + (proof.terminal is not None):
        raise InvalidProofError("The proof shows more leaves than its count.")
    if not proof.siblings and proof.count != (proof.terminal is not None):
        raise InvalidProofError("The proof's count does not fit a trie without branches.")


def _prefix(key: bytes, bits: int) -> int:
    return int.from_bytes(key, "big") >> (KEY_BITS - bits)


def _require_hash(value: bytes) -> None:
    try:
        require_hash(value, "hash in the proof")
    except InvalidInputError as error:
        raise InvalidProofError("A hash in the proof is not 32 bytes long.") from error
