"""The verifier's primitives against vectors that neither it nor the platform made."""

import base64
import json
import struct
from pathlib import Path
from typing import Any

import pytest
from consilium_verify.canonical import encode, parse_canonical, parse_json
from consilium_verify.chain.headers import plain_hash, read_header
from consilium_verify.ethereum import keccak256, recover
from consilium_verify.findings import RefusedError
from consilium_verify.merkle import leaf_hash, tree_root, verify_consistency, verify_inclusion
from consilium_verify.notes import VerifierKey, note_text

# Shared with the platform's tests; a copy of the verifier alone has none of them.
# One vector has dummy roots of another length, which the verifier refuses: see the README there.
DUMMY_ROOTS = "additional/sizes-are-equal-one-and-proof-is-empty"
VECTORS = Path(__file__).parents[2] / "tests" / "data" / "rfc9162"


def vectors(kind: str) -> list[Any]:
    return [pytest.param(v, id=v["case"]) for v in json.loads((VECTORS / f"{kind}.json").read_text())]


def raw(text: str | None) -> bytes:
    return base64.b64decode(text or "")


@pytest.mark.parametrize("vector", vectors("inclusion"))
def test_inclusion_vector(vector: dict[str, Any]) -> None:
    path = [raw(p) for p in vector["proof"] or []]
    arguments = (raw(vector["leafHash"]), vector["leafIdx"], vector["treeSize"], path, raw(vector["root"]))

    if vector["wantErr"]:
        with pytest.raises(RefusedError):
            verify_inclusion(*arguments)
    else:
        verify_inclusion(*arguments)


@pytest.mark.parametrize("vector", vectors("consistency"))
def test_consistency_vector(vector: dict[str, Any]) -> None:
    path = [raw(p) for p in vector["proof"] or []]
    arguments = (vector["size1"], vector["size2"], (raw(vector["root1"]), raw(vector["root2"])), path)

    if vector["wantErr"] or vector["case"] == DUMMY_ROOTS:
        with pytest.raises(RefusedError):
            verify_consistency(*arguments)
    else:
        verify_consistency(*arguments)


def test_root_of_the_reference_tree_of_certificate_transparency() -> None:
    leaves = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]

    root = tree_root([leaf_hash(bytes.fromhex(leaf)) for leaf in leaves])

    assert root.hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


# RFC 8785 appendix B: IEEE 754 bits and what they are written as.
@pytest.mark.parametrize(
    ("bits", "expected"),
    [
        ("0000000000000000", "0"),
        ("8000000000000000", "0"),
        ("0000000000000001", "5e-324"),
        ("8000000000000001", "-5e-324"),
        ("7fefffffffffffff", "1.7976931348623157e+308"),
        ("4340000000000000", "9007199254740992"),
        ("c340000000000000", "-9007199254740992"),
        ("4430000000000000", "295147905179352830000"),
        ("44b52d02c7e14af5", "9.999999999999997e+22"),
        ("44b52d02c7e14af6", "1e+23"),
        ("44b52d02c7e14af7", "1.0000000000000001e+23"),
        ("444b1ae4d6e2ef4e", "999999999999999700000"),
        ("444b1ae4d6e2ef4f", "999999999999999900000"),
        ("444b1ae4d6e2ef50", "1e+21"),
        ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
        ("3eb0c6f7a0b5ed8d", "0.000001"),
        ("41b3de4355555553", "333333333.3333332"),
        ("41b3de4355555554", "333333333.33333325"),
        ("41b3de4355555555", "333333333.3333333"),
        ("becbf647612f3696", "-0.0000033333333333333333"),
        ("43143ff3c1cb0959", "1424953923781206.2"),
    ],
)
def test_number_is_written_as_in_rfc_8785_appendix_b(bits: str, expected: str) -> None:
    [value] = struct.unpack(">d", bytes.fromhex(bits))

    assert encode(value).decode() == expected
    assert encode(parse_json(expected.encode())).decode() == expected


def test_text_and_keys_are_written_as_in_rfc_8785() -> None:
    value = {"\u20ac": '\u20ac$\u000f\u000aA\'B"\\\\"/', "\r": 1, "\ufb33": 2, "1": 3, "\U0001f600": 4, "\u0080": 5}

    assert encode(value).decode() == (
        '{"\\r":1,"1":3,"\u0080":5,"€":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/","\U0001f600":4,"\ufb33":2}'
    )


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":2}',
        b"[1, 2]",
        b"1.0",
        b"NaN",
        b"\xff",
        b"",
        b'"\\ud800"',
        b"[" * 9999,
        b"9" * 5000,
    ],
)
def test_json_in_another_form_is_refused(text: bytes) -> None:
    with pytest.raises(RefusedError):
        parse_canonical(text)


def test_header_of_ethereums_first_block_has_its_hash() -> None:
    header = {
        "parentHash": "0x" + "00" * 32,
        "sha3Uncles": "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347",
        "miner": "0x" + "00" * 20,
        "stateRoot": "0xd7f8974fb5ac78d9ac099b9ad5018bedc2ce0a72dad1827a1709da30580f0544",
        "transactionsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
        "receiptsRoot": "0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
        "logsBloom": "0x" + "00" * 256,
        "difficulty": "0x0400000000",
        "number": "0x00",
        "gasLimit": "0x1388",
        "gasUsed": "0x00",
        "timestamp": "0x00",
        "extraData": "0x11bbe8db4e347b4e8c937c1c8370e4b5ed33adb3db69cbdb7a38e1e50b1b82fa",
        "mixHash": "0x" + "00" * 32,
        "nonce": "0x0000000000000042",
    }

    assert plain_hash(read_header(header)).hex() == "d4e56740f876aef8c010b86a40d5f56745a118d0906a34e69aec8c0db1cb8fa3"
    for changed in ({**header, "gasUsed": "0x0"}, {**header, "more": "0x"}, {k: header[k] for k in list(header)[:14]}):
        with pytest.raises(RefusedError):
            read_header(changed)


def test_signer_of_the_mail_example_of_eip_712_is_recovered() -> None:
    digest = bytes.fromhex("be609aee343fb3c4b28e1df9e632fca64fcfaede20f02e86244efddf30957bd2")
    signature = bytes.fromhex(
        "4355c47d63924e8a72e509b65029052eb6c299d53a04e167c5775fd466751c9d"
        "07299936d304c153f6443dfa05f40ff007d72911b6f72307f996231605b915621c"
    )

    assert recover(digest, signature).hex() == "cd2a3d9f938e13cd947ec05abc7fe734df8dd826"
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    for bad in (signature[:64], signature[:64] + b"\0", bytes(64) + b"\x1b"):
        with pytest.raises(RefusedError):
            recover(digest, bad)


def test_published_example_of_a_signed_note_is_opened() -> None:
    key = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    line = (
        "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
    )

    assert note_text(f"{text}\n{line}".encode(), key) == text
    for bad in (f"{text}x\n\n{line}", f"{text}\n{line}{line}", f"{text}\n", f"{text}\n{line[:-1]}", f"{text}\n- x y\n"):
        with pytest.raises(RefusedError):
            note_text(bad.encode(), key)


@pytest.mark.parametrize(
    "text", ["", "n+00000000+AQ==", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"]
)
def test_malformed_verifier_key_is_refused(text: str) -> None:
    with pytest.raises(RefusedError):
        VerifierKey.parse(text)
