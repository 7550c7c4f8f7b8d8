"""Key agreement, key derivation and masks against their published vectors."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from training.federated.errors import KeyAgreementError, QuantizationError
from training.federated.secagg.key_agreement import derive_key, generate_private_key, public_key, shared_secret
from training.federated.secagg.prg import PIECE_BYTES, RING_DTYPES, add_mask, subtract_mask


def test_x25519_agrees_with_rfc_7748_section_6_1() -> None:
    alice = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    bob = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")

    assert public_key(alice).hex() == "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
    assert public_key(bob).hex() == "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"
    expected = "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
    assert shared_secret(alice, public_key(bob)).hex() == expected
    assert shared_secret(bob, public_key(alice)).hex() == expected


@pytest.mark.parametrize("public", [bytes(32), b"\x01" + bytes(31), bytes(31), bytes(33)])
def test_public_keys_of_low_order_or_other_size_are_refused(public: bytes) -> None:
    with pytest.raises(KeyAgreementError):
        shared_secret(generate_private_key(), public)


def test_hkdf_agrees_with_rfc_5869_test_case_1() -> None:
    info, salt = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9"), bytes.fromhex("000102030405060708090a0b0c")

    key = derive_key(b"\x0b" * 22, info, salt=salt, size_bytes=42)

    assert key.hex() == "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"


def test_hkdf_without_salt_agrees_with_rfc_5869_test_case_3() -> None:
    key = derive_key(b"\x0b" * 22, b"", size_bytes=42)

    assert key.hex() == "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"


@pytest.mark.parametrize("ring_bits", [32, 64])
def test_masks_agree_with_the_ctr_aes256_vector_of_nist_sp_800_38a(ring_bits: int) -> None:
    key = bytes.fromhex("603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4")
    counter = bytes.fromhex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")
    plain = bytes.fromhex(
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710"
    )
    cipher = bytes.fromhex(
        "601ec313775789a5b7a7f504bbf3d228f443e3ca4d62b59aca84e990cacaf5c5"
        "2b0930daa23de94ce87017ba2d84988ddfc9c58db67aada613c2dd08457941a6"
    )
    vector = np.zeros(64 * 8 // ring_bits, RING_DTYPES[ring_bits])

    add_mask(vector, key, counter=counter)

    assert bytes(a ^ b for a, b in zip(plain, vector.tobytes(), strict=True)) == cipher


@pytest.mark.parametrize("ring_bits", [32, 64])
@pytest.mark.parametrize("size", [0, 1, PIECE_BYTES // 8, PIECE_BYTES // 4 + 1])
def test_a_mask_comes_off_again_whatever_the_length(ring_bits: int, size: int) -> None:
    vector = np.arange(size, dtype=RING_DTYPES[ring_bits])

    add_mask(vector, b"k" * 32)
    masked = vector.copy()
    subtract_mask(vector, b"k" * 32)

    assert vector.tolist() == list(range(size))
    assert size == 0 or not np.array_equal(masked, vector)


def test_pieces_continue_one_key_stream() -> None:
    words = PIECE_BYTES // 4
    long, short = np.zeros(words + 4, np.uint32), np.zeros(4, np.uint32)

    add_mask(long, b"k" * 32)
    add_mask(short, b"k" * 32, counter=(PIECE_BYTES // 16).to_bytes(16, "big"))

    assert long[words:].tolist() == short.tolist()


@settings(max_examples=25, deadline=None)
@given(st.binary(min_size=32, max_size=32), st.integers(0, 255))
def test_one_flipped_bit_of_the_key_changes_about_half_of_all_bits(key: bytes, bit: int) -> None:
    other = (int.from_bytes(key, "big") ^ 1 << bit).to_bytes(32, "big")
    first, second = np.zeros(4096, np.uint64), np.zeros(4096, np.uint64)

    add_mask(first, key)
    add_mask(second, other)

    # 262,144 bits: six standard deviations are 1,536
    changed = int(np.bitwise_count(first ^ second).sum())
    assert abs(changed - 131_072) < 1_536
    assert np.count_nonzero(first == second) == 0


@pytest.mark.parametrize(
    "vector", [np.zeros(2), np.zeros((2, 2), np.uint32), np.zeros(4, np.uint32)[::2], np.zeros(2, np.int64)]
)
def test_only_contiguous_ring_vectors_are_masked(vector: NDArray[Any]) -> None:
    before = vector.copy()

    with pytest.raises(QuantizationError):
        add_mask(vector, b"k" * 32)

    assert np.array_equal(vector, before)
