import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.kernel.errors import InvalidInputError, InvalidProofError
from consortium.kernel.merkle import EMPTY_ROOT, MemoryTree, completed_nodes, inclusion_path, leaf_hash, root_of
from consortium.kernel.merkle_proofs import verify_consistency, verify_inclusion

VECTORS = Path(__file__).parents[2] / "data" / "rfc9162"
DUMMY_ROOTS = "additional/sizes-are-equal-one-and-proof-is-empty"


def vectors(kind: str) -> list[Any]:
    return [pytest.param(v, id=v["case"]) for v in json.loads((VECTORS / f"{kind}.json").read_text())]


def raw(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def reference_root(leaves: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    k = max(2**i for i in range(20) if 2**i < len(leaves))
    return hashlib.sha256(b"\x01" + reference_root(leaves[:k]) + reference_root(leaves[k:])).digest()


@pytest.mark.parametrize("vector", vectors("inclusion"))
def test_inclusion_vector_of_transparency_dev(vector: dict[str, Any]) -> None:
    def verify() -> None:
        verify_inclusion(
            leaf=raw(vector["leafHash"]),
            index=vector["leafIdx"],
            size=vector["treeSize"],
            path=[raw(p) for p in vector["proof"] or []],
            root=raw(vector["root"]),
        )

    if vector["wantErr"]:
        with pytest.raises(InvalidProofError):
            verify()
    else:
        verify()


def verify_consistency_vector(vector: dict[str, Any], root1: bytes, root2: bytes) -> None:
    verify_consistency(
        first=vector["size1"],
        second=vector["size2"],
        first_root=root1,
        second_root=root2,
        proof=[raw(p) for p in vector["proof"] or []],
    )


@pytest.mark.parametrize("vector", vectors("consistency"))
def test_consistency_vector_of_transparency_dev(vector: dict[str, Any]) -> None:
    root1, root2 = raw(vector["root1"]), raw(vector["root2"])

    if vector["wantErr"] or vector["case"] == DUMMY_ROOTS:
        with pytest.raises(InvalidProofError):
            verify_consistency_vector(vector, root1, root2)
    else:
        verify_consistency_vector(vector, root1, root2)


def test_vector_with_dummy_roots_is_accepted_once_they_are_hashes() -> None:
    [vector] = [v for v in json.loads((VECTORS / "consistency.json").read_text()) if v["case"] == DUMMY_ROOTS]

    verify_consistency_vector(vector, raw(vector["root1"]).ljust(32, b"\0"), raw(vector["root2"]).ljust(32, b"\0"))


def test_empty_tree_has_the_hash_of_nothing() -> None:
    assert MemoryTree().root() == EMPTY_ROOT == hashlib.sha256(b"").digest()


@settings(max_examples=40)
@given(st.lists(st.binary(max_size=3), min_size=1, max_size=40), st.data())
def test_every_earlier_root_and_proof_follows_from_the_stored_nodes(leaves: list[bytes], data: st.DataObject) -> None:
    tree = MemoryTree(leaves)
    size = data.draw(st.integers(1, len(leaves)))
    first = data.draw(st.integers(1, size))
    index = data.draw(st.integers(0, size - 1))

    assert tree.root(size) == reference_root(leaves[:size])
    leaf, path = leaf_hash(leaves[index]), tree.inclusion_path(index, size)
    verify_inclusion(leaf=leaf, index=index, size=size, path=path, root=tree.root(size))
    proof = tree.consistency_proof(first, size)
    verify_consistency(first=first, second=size, first_root=tree.root(first), second_root=tree.root(size), proof=proof)


@settings(max_examples=60)
@given(st.integers(2, 40), st.data())
def test_proof_with_one_bit_changed_is_refused(size: int, data: st.DataObject) -> None:
    tree = MemoryTree(bytes([i]) for i in range(size))
    index = data.draw(st.integers(0, size - 1))
    path = tree.inclusion_path(index)
    step, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))
    changed = (int.from_bytes(path[step], "big") ^ 1 << bit).to_bytes(32, "big")

    with pytest.raises(InvalidProofError):
        verify_inclusion(
            leaf=leaf_hash(bytes([index])),
            index=index,
            size=size,
            path=[*path[:step], changed, *path[step + 1 :]],
            root=tree.root(),
        )


def test_rewritten_history_has_no_consistency_proof() -> None:
    before, after = MemoryTree([b"a", b"b", b"c"]), MemoryTree([b"a", b"x", b"c", b"d"])

    with pytest.raises(InvalidProofError):
        verify_consistency(
            first=3, second=4, first_root=before.root(), second_root=after.root(), proof=after.consistency_proof(3)
        )


class CountingStore:
    """The nodes of a tree in a dictionary, as a table would keep them, counting reads."""

    def __init__(self, size: int) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.reads = 0
        for index in range(size):
            for node in completed_nodes(index, leaf_hash(str(index).encode()), self):
                self.nodes[node.level, node.index] = node.hash

    def get(self, level: int, index: int) -> bytes:
        self.reads += 1
        return self.nodes[level, index]


def test_proof_reads_a_logarithm_of_the_nodes() -> None:
    store = CountingStore(10_000)
    written, store.reads = len(store.nodes), 0

    path = inclusion_path(4_321, 9_999, store)

    assert store.reads <= 2 * 14
    assert written < 2 * 10_000
    root, leaf = root_of(9_999, store), leaf_hash(b"4321")
    verify_inclusion(leaf=leaf, index=4_321, size=9_999, path=path, root=root)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3), (0, 4)])
def test_proof_outside_the_tree_is_refused(index: int, size: int) -> None:
    with pytest.raises(InvalidInputError):
        MemoryTree([b"a", b"b", b"c"]).inclusion_path(index, size)


@pytest.mark.parametrize(("first", "second"), [(0, 3), (3, 2), (2, 4)])
def test_consistency_between_sizes_that_the_tree_never_had_is_refused(first: int, second: int) -> None:
    with pytest.raises(InvalidInputError):
        MemoryTree([b"a", b"b", b"c"]).consistency_proof(first, second)
