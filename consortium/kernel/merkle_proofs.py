"""Verification of the log's proofs (RFC 9162 sections 2.1.3.2 and 2.1.4.2), step by step as written there."""

from collections.abc import Sequence

from consortium.kernel.errors import InvalidInputError, InvalidProofError
from consortium.kernel.hashing import HASH_BYTES, require_hash
from consortium.kernel.merkle import node_hash

# RFC 9162 sizes are 64 bits; a longer path cannot belong to any tree.
_MAX_SIZE = 2**64 - 1


def verify_inclusion(*, leaf: bytes, index: int, size: int, path: Sequence[bytes], root: bytes) -> None:
    """Return if the leaf hash lies at `index` in the tree of `size` leaves with that root.

    Raises
    ------
    InvalidProofError
        If it does not; nothing is returned otherwise, so that no caller can forget to look.
    """
    _require(0 <= index < size <= _MAX_SIZE, f"Leaf {index} cannot lie in a tree of {size} leaves.")
    _require_hashes((leaf, root, *path))
    fn, sn, result = index, size - 1, leaf
    for sibling in path:
        _require(sn > 0, "The inclusion path is too long for the tree's size.")
        if fn & 1 or fn == sn:
            result = node_hash(sibling, result)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            result = node_hash(result, sibling)
        fn, sn = fn >> 1, sn >> 1
    _require(sn == 0, "The inclusion path is too short for the tree's size.")
    _require(result == root, f"The inclusion path of leaf {index} does not lead to the root of {size} leaves.")


def verify_consistency(
    *, first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]
) -> None:
    """Return if the tree of `first` leaves is a prefix of the tree of `second` leaves.

    The empty tree is refused, as in RFC 9162: consistency with it says nothing.

    Raises
    ------
    InvalidProofError
        If the proof does not show it.
    """
    _require(0 < first <= second <= _MAX_SIZE, f"A tree of {second} leaves does not extend one of {first}.")
    _require_hashes((first_root, second_root, *proof))
    if first == second:
        _require(not proof, "Two trees of one size need no proof; it must be empty.")
        _require(first_root == second_root, "Two trees of one size have different roots.")
        return
    _climb(first, second, first_root, second_root, proof)


def _climb(first: int, second: int, first_root: bytes, second_root: bytes, proof: Sequence[bytes]) -> None:
    _require(len(proof) > 0, "The consistency proof is empty.")
    # A complete first tree is itself a node of the second one, so the proof leaves it out.
    steps = [first_root, *proof] if first & (first - 1) == 0 else list(proof)
    fn, sn = first - 1, second - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    old = new = steps[0]
    for sibling in steps[1:]:
        _require(sn > 0, "The consistency proof is too long.")
        if fn & 1 or fn == sn:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            new = node_hash(new, sibling)
        fn, sn = fn >> 1, sn >> 1
    _require(sn == 0, "The consistency proof is too short.")
    _require(old == first_root, f"The consistency proof does not lead to the root of {first} leaves.")
    _require(new == second_root, f"The consistency proof does not lead to the root of {second} leaves.")


def _require_hashes(hashes: Sequence[bytes]) -> None:
    try:
        for value in hashes:
            require_hash(value, "hash in the proof")
    except InvalidInputError as error:
        raise InvalidProofError(f"A hash in the proof is not {HASH_BYTES} bytes long.") from error


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise InvalidProofError(message)
