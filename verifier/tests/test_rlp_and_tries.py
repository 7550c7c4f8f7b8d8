"""RLP and Merkle-Patricia tries: one encoding a value, and no proof but the true one."""

import random

import pytest
import qbft_network as qbft
from bundle_builder import keccak256
from consilium_verify.chain import rlp
from consilium_verify.chain.receipts import Log, Receipt, decode_receipt, encode_receipt
from consilium_verify.chain.tries import EMPTY_ROOT, list_root, proven, trie_root
from consilium_verify.chain.validators import ValidatorSet, listed
from consilium_verify.findings import RefusedError


# Examples of the yellow paper's appendix B and of ethereum/tests.
@pytest.mark.parametrize(
    ("value", "encoded"),
    [
        (b"dog", "83646f67"),
        ([b"cat", b"dog"], "c88363617483646f67"),
        (b"", "80"),
        ([], "c0"),
        (b"\x00", "00"),
        (b"\x0f", "0f"),
        (b"\x04\x00", "820400"),
        ([[], [[]], [[], [[]]]], "c7c0c1c0c3c0c1c0"),
        (b"x" * 56, "b838" + "78" * 56),
        ([b"x" * 55], "f838b7" + "78" * 55),
    ],
)
def test_value_has_the_published_encoding(value: rlp.Item, encoded: str) -> None:
    assert rlp.encode(value).hex() == encoded
    assert rlp.decode(bytes.fromhex(encoded)) == value


@pytest.mark.parametrize(
    ("encoded", "reason"),
    [
        ("", "ends early"),
        ("8100", "shortest form"),
        ("817f", "shortest form"),
        ("b80100", "shortest form"),
        ("b837" + "00" * 55, "shortest form"),
        ("b90038" + "00" * 56, "shortest form"),
        ("f800", "shortest form"),
        ("83646f", "ends early"),
        ("b8", "shortest form"),
        ("bfffffffffffffffff", "ends early"),
        ("c883636174", "ends early"),
        ("c583636174b7", "ends early"),
        ("8080", "goes on after its end"),
        ("c0c0", "goes on after its end"),
        ("c2" + "83ff", "ends early"),
        ("c1" * 40 + "c0", "ends early"),
    ],
)
def test_other_encodings_are_refused(encoded: str, reason: str) -> None:
    with pytest.raises(RefusedError, match=reason):
        rlp.decode(bytes.fromhex(encoded))


def test_nesting_without_end_is_refused_and_no_crash() -> None:
    deep = b"\xc0"
    for _ in range(2000):
        deep = rlp.prefixed(0xC0, deep)

    with pytest.raises(RefusedError, match="nested too deep"):
        rlp.decode(deep)


def test_whatever_is_decoded_encodes_to_the_same_bytes() -> None:
    """A second encoding of a value would be a second form of a header that nothing tells apart."""
    dice = random.Random(1)  # noqa: S311 samples, no secrets
    decoded = 0
    for _ in range(20_000):
        data = bytes(
            dice.choice([0, 1, 0x7F, 0x80, 0x81, 0xB8, 0xC0, 0xC1, 0xC2, 0xF8]) for _ in range(dice.randrange(6))
        )
        try:
            value = rlp.decode(data)
        except RefusedError:
            continue
        assert rlp.encode(value) == data
        decoded += 1
    assert decoded > 100


def sample(dice: random.Random, size: int) -> dict[bytes, bytes]:
    return {keccak256(dice.randbytes(8)): dice.randbytes(dice.randrange(1, 80)) for _ in range(size)}


@pytest.mark.parametrize("size", [1, 2, 3, 17, 90])
def test_presence_and_absence_are_proven(size: int) -> None:
    dice = random.Random(size)  # noqa: S311 samples, no secrets
    pairs = sample(dice, size)
    trie = qbft.Trie(pairs)
    assert trie_root(pairs) == trie.root

    for key, value in pairs.items():
        assert proven(trie.root, key, trie.prove(key)) == value
    for key in sample(dice, 50):
        assert proven(trie.root, key, trie.prove(key)) is None


def test_short_keys_lie_within_their_parents_nodes() -> None:
    """Nodes under 32 bytes are embedded, and extensions are passed: as in the tries of a block's receipts."""
    pairs = {bytes([1, 2, n]): bytes([n]) for n in range(1, 20)} | {b"\x80": b"x"}
    trie = qbft.Trie(pairs)

    assert trie_root(pairs) == trie.root
    for key, value in pairs.items():
        assert proven(trie.root, key, trie.prove(key)) == value
    assert proven(trie.root, b"\x01\x02\x40", trie.prove(b"\x01\x02\x40")) is None
    assert proven(trie.root, b"\x01\x03\x01", trie.prove(b"\x01\x03\x01")) is None


def test_a_proof_that_hides_a_value_is_refused() -> None:
    pairs = sample(random.Random(5), 40)  # noqa: S311 samples, no secrets
    trie = qbft.Trie(pairs)
    [key, other, *_] = pairs
    proof = trie.prove(key)

    for wrong in ([], proof[:-1], [*proof, proof[-1]], proof[1:], list(reversed(proof)), trie.prove(other)):
        with pytest.raises(RefusedError, match=r"ends early|goes on after|is not the one that its parent"):
            proven(trie.root, key, wrong)


def test_empty_trie_proves_absence_alone() -> None:
    assert EMPTY_ROOT.hex() == "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    assert list_root([]) == EMPTY_ROOT
    assert proven(EMPTY_ROOT, bytes(32), []) is None
    assert proven(EMPTY_ROOT, bytes(32), [b"\x80"]) is None
    with pytest.raises(RefusedError, match="a trie that is empty"):
        proven(EMPTY_ROOT, bytes(32), [b"\xc0"])


@pytest.mark.parametrize(
    "node",
    [
        [b"", b"x"],
        [b"\x40", b"x"],
        [b"\x01", b"x"],
        [b"\x00", b"x"],
        [b"\x20", b"x", b"y"],
        [[b"\x20"], b"x"],
        [b"\x20", [b"x"]],
        b"dog",
    ],
)
def test_malformed_node_is_refused(node: rlp.Item) -> None:
    encoded = rlp.encode(node)

    with pytest.raises(RefusedError):
        proven(keccak256(encoded), b"", [encoded])


@pytest.mark.parametrize("kind", [0, 1, 2, 3, 4])
def test_receipt_reads_back_and_another_bloom_is_refused(kind: int) -> None:
    receipt = Receipt(kind, True, 21_000, (Log(b"\1" * 20, (b"\2" * 32, b"\3" * 32), b"data"),))
    encoded = encode_receipt(receipt)

    assert decode_receipt(encoded) == receipt
    with pytest.raises(RefusedError, match="bloom filter"):
        decode_receipt(encoded.replace(b"\2" * 32, b"\4" * 32))
    with pytest.raises(RefusedError):
        decode_receipt(encoded + b"\0")


def test_receipt_with_a_state_root_in_place_of_a_status_is_refused() -> None:
    old = rlp.encode([bytes(32), b"\x01", bytes(256), []])

    with pytest.raises(RefusedError, match="neither 0 nor 1"):
        decode_receipt(old)


def test_quorum_is_two_thirds_rounded_up() -> None:
    quorums = [ValidatorSet(tuple(bytes([n]) * 20 for n in range(1, size + 1))).quorum for size in range(1, 11)]

    assert quorums == [1, 2, 2, 3, 4, 4, 5, 6, 6, 7]


def test_list_in_storage_must_be_whole_and_of_addresses() -> None:
    words = qbft.slots([1, 2, 3, 4])
    members = tuple(bytes.fromhex(member[2:]) for member in qbft.addresses([1, 2, 3, 4]))
    assert listed(words, 0).members == members
    assert listed(words, 0).digest == qbft.digest_of([1, 2, 3, 4])

    first = next(slot for slot in words if slot > 2)
    for wrong in ({k: v for k, v in words.items() if k != first}, words | {first: 1 << 160}, words | {0: 5}):
        with pytest.raises(RefusedError, match="not wholly there"):
            listed(wrong, 0)
    with pytest.raises(RefusedError, match="more than 256"):
        listed(words | {0: 1 << 64}, 0)
    with pytest.raises(RefusedError, match="is not 1 to 256 addresses"):
        listed({}, 0)
