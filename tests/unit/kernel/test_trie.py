import hashlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consortium.kernel.errors import InvalidInputError, InvalidProofError
from consortium.kernel.hashing import tagged_hash
from consortium.kernel.trie import EMPTY, Branch, Subtree, Trie, TrieProof
from consortium.kernel.trie_proofs import proof_from_json, proof_to_json, verify_absence, verify_inclusion

# Few first and last bytes, so that long common prefixes and neighbours are the rule.
KEYS = st.tuples(st.sampled_from([0, 1, 0x80, 0xFF]), st.sampled_from([0, 1, 2, 0x80])).map(
    lambda ends: bytes([ends[0], *[7] * 30, ends[1]])
) | st.binary(min_size=32, max_size=32)
ITEMS = st.dictionaries(KEYS, st.binary(min_size=32, max_size=32), max_size=12)


def key(number: int) -> bytes:
    return hashlib.sha256(number.to_bytes(4, "big")).digest()


def items(*numbers: int) -> dict[bytes, bytes]:
    return {key(number): key(number + 1_000_000) for number in numbers}


def reference_top(pairs: dict[bytes, bytes], depth: int = 0) -> bytes:
    """The definition in the module's docstring, without any sharing."""
    if not pairs:
        return EMPTY
    if len(pairs) == 1:
        [(k, v)] = pairs.items()
        return hashlib.sha256(b"consilium/trie/1/leaf" + k + v).digest()
    sides = [{k: v for k, v in pairs.items() if int.from_bytes(k, "big") >> (255 - depth) & 1 == s} for s in (0, 1)]
    left, right = (reference_top(side, depth + 1) for side in sides)
    return hashlib.sha256(b"consilium/trie/1/branch" + left + right).digest()


@settings(max_examples=60, deadline=None)
@given(ITEMS)
def test_root_is_the_one_of_the_definition(pairs: dict[bytes, bytes]) -> None:
    count = len(pairs).to_bytes(8, "big")

    assert Trie("t", pairs).root == tagged_hash("consilium/trie/1/root", b"t", count, reference_top(pairs))
    assert dict(Trie("t", pairs).items()) == pairs


@settings(max_examples=60, deadline=None)
@given(ITEMS, ITEMS, st.data())
def test_changed_trie_is_the_one_built_anew(
    before: dict[bytes, bytes], put: dict[bytes, bytes], data: st.DataObject
) -> None:
    removable = sorted(before.keys() - put.keys())
    removed = data.draw(st.lists(st.sampled_from(removable), unique=True)) if removable else []
    trie = Trie("t", before)
    root = trie.root

    changed = trie.changed(put, removed)

    expected = {k: v for k, v in {**before, **put}.items() if k not in removed}
    assert (changed.root, changed.count) == (Trie("t", expected).root, len(expected))
    assert (trie.root, dict(trie.items())) == (root, before)


@settings(max_examples=60, deadline=None)
@given(ITEMS, KEYS)
def test_each_key_is_proven_present_or_absent_and_never_both(pairs: dict[bytes, bytes], asked: bytes) -> None:
    trie = Trie("t", pairs)
    proof = trie.prove(asked)

    if asked in pairs:
        verify_inclusion(proof, kind="t", key=asked, value=pairs[asked], root=trie.root)
        with pytest.raises(InvalidProofError):
            verify_absence(proof, kind="t", key=asked, root=trie.root)
    else:
        verify_absence(proof, kind="t", key=asked, root=trie.root)
        with pytest.raises(InvalidProofError):
            verify_inclusion(proof, kind="t", key=asked, value=bytes(32), root=trie.root)


def test_absence_cannot_be_shown_by_the_proof_of_another_place() -> None:
    trie = Trie("t", items(*range(64)))
    foreign = trie.prove(key(1))

    with pytest.raises(InvalidProofError):
        verify_absence(foreign, kind="t", key=key(0), root=trie.root)
    with pytest.raises(InvalidProofError):
        verify_absence(replace(foreign, terminal=None), kind="t", key=key(0), root=trie.root)


def test_proof_for_another_count_kind_or_root_is_refused() -> None:
    trie = Trie("consent", items(1, 2, 3))
    proof = trie.prove(key(1))
    value = trie.get(key(1)) or b""

    for wrong_proof, kind, root in (
        (replace(proof, count=4), "consent", trie.root),
        (proof, "cohort", trie.root),
        (proof, "consent", Trie("consent", items(1, 2)).root),
        (replace(proof, siblings=proof.siblings[1:]), "consent", trie.root),
        (replace(proof, siblings=(*proof.siblings, EMPTY)), "consent", trie.root),
    ):
        with pytest.raises(InvalidProofError):
            verify_inclusion(wrong_proof, kind=kind, key=key(1), value=value, root=root)


def test_trie_that_is_not_compact_is_refused_though_its_hashes_agree() -> None:
    pairs = items(1)
    [(only, value)] = pairs.items()
    leaf = Trie("t", pairs)._top
    assert leaf is not None
    bit = only[0] >> 7
    sides = (EMPTY, leaf.hash) if bit else (leaf.hash, EMPTY)
    top = hashlib.sha256(b"consilium/trie/1/branch" + sides[0] + sides[1]).digest()
    root = tagged_hash("consilium/trie/1/root", b"t", (1).to_bytes(8, "big"), top)

    with pytest.raises(InvalidProofError, match="not compact"):
        verify_inclusion(TrieProof(1, (EMPTY,), (only, value)), kind="t", key=only, value=value, root=root)


def test_insert_touches_about_log2_n_nodes() -> None:
    trie = Trie("t", items(*range(4096)))
    changed = trie.changed(items(5000))

    def nodes(node: Subtree) -> set[bytes]:
        if not isinstance(node, Branch):
            return set() if node is None else {node.hash}
        return {node.hash} | nodes(node.left) | nodes(node.right)

    assert len(nodes(changed._top) - nodes(trie._top)) <= 2 * 12


def test_removing_what_is_not_there_changes_nothing_and_is_refused() -> None:
    trie = Trie("t", items(1))

    with pytest.raises(InvalidInputError, match="1 keys"):
        trie.changed(removed=[key(2)])
    with pytest.raises(InvalidInputError, match="both"):
        trie.changed(items(1), [key(1)])
    assert trie.count == 1


@pytest.mark.parametrize("pair", [(b"short", bytes(32)), (bytes(32), bytes(31)), (bytes(33), bytes(32))])
def test_key_or_value_of_another_length_is_refused(pair: tuple[bytes, bytes]) -> None:
    with pytest.raises(InvalidInputError):
        Trie("t", dict([pair]))


def test_proof_survives_its_json_form_and_malformed_ones_are_refused() -> None:
    trie = Trie("t", items(*range(9)))
    for proof in (trie.prove(key(3)), trie.prove(key(77)), Trie("t").prove(key(1))):
        assert proof_from_json(proof_to_json(proof)) == proof

    good = proof_to_json(trie.prove(key(3)))
    changes: list[dict[str, object]] = [
        {"count": True},
        {"siblings": ["0x00"]},
        {"siblings": 3},
        {"terminal": []},
        {"more": 1},
    ]
    for change in changes:
        with pytest.raises(InvalidProofError):
            proof_from_json({**good, **change})
