import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consortium.kernel.digests import bytes32_to_digest, digest_of, digest_to_bytes32, keccak256, sha256_digest
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.hashing import tagged_hash
from consortium.kernel.identifiers import bytes32_to_uuid, from_hex, to_hex, uuid_to_bytes32


def test_sha256_of_abc_is_the_one_of_fips_180() -> None:
    expected = "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

    assert sha256_digest(b"abc") == expected
    assert digest_to_bytes32(expected).hex() == expected[7:]
    assert bytes32_to_digest(bytes.fromhex(expected[7:])) == expected


def test_keccak_is_ethereums_and_not_sha3() -> None:
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"abc").hex() == "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45"


def test_digest_of_a_value_does_not_depend_on_the_order_of_its_keys() -> None:
    assert digest_of({"a": 1, "b": 2}) == digest_of({"b": 2, "a": 1}) == sha256_digest(b'{"a":1,"b":2}')


@pytest.mark.parametrize(
    "text", ["", "sha256:", "sha256:" + "0" * 63, "sha256:" + "A" * 64, "0" * 64, "sha256:" + "0" * 64 + "\n"]
)
def test_other_spelling_of_a_digest_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        digest_to_bytes32(text)


def test_uuid_lies_at_the_left_of_its_bytes32() -> None:
    identifier = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")

    assert to_hex(uuid_to_bytes32(identifier)) == "0x00112233445566778899aabbccddeeff" + "00" * 16
    assert bytes32_to_uuid(uuid_to_bytes32(identifier)) == identifier


@pytest.mark.parametrize("raw", [b"", bytes(16), bytes(31) + b"\x01", bytes(33)])
def test_bytes_that_hold_no_uuid_are_refused(raw: bytes) -> None:
    with pytest.raises(InvalidInputError):
        bytes32_to_uuid(raw)


@pytest.mark.parametrize("text", ["", "00", "0x0", "0xzz", "0X00", "0x00\n", "0x00 "])
def test_malformed_hexadecimal_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError):
        from_hex(text)


def test_hexadecimal_of_another_size_is_refused() -> None:
    assert from_hex("0xFf") == b"\xff"
    with pytest.raises(InvalidInputError, match="Expected 2 bytes"):
        from_hex("0xff", size_bytes=2)


@given(st.lists(st.binary(max_size=4), max_size=4), st.lists(st.binary(max_size=4), max_size=4))
def test_tagged_hash_separates_every_two_lists_of_parts(first: list[bytes], second: list[bytes]) -> None:
    assert (tagged_hash("t", *first) == tagged_hash("t", *second)) == (first == second)


def test_tagged_hash_separates_tags() -> None:
    assert tagged_hash("ab", b"c") != tagged_hash("a", b"bc") != tagged_hash("abc")
