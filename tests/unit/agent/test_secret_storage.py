import json
from typing import Literal

import pytest
from eth_account import Account
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import KeystoreError
from agent.secret_storage import decrypt, encrypt
from consortium.kernel.secp256k1 import address_of

SECRET = bytes(range(1, 33))
KINDS: tuple[tuple[Literal["scrypt", "pbkdf2"], int], ...] = (("scrypt", 2**4), ("scrypt", 2**16), ("pbkdf2", 4))
# The vector of the format's own definition (Web3 Secret Storage, version 3), pass phrase "testpassword".
VECTOR = {
    "crypto": {
        "cipher": "aes-128-ctr",
        "cipherparams": {"iv": "6087dab2f9fdbbfaddc31a909735c1e6"},
        "ciphertext": "5318b4d5bcd28de64ee5559e671353e16f075ecae9f99c7a79a38af5f869aa46",
        "kdf": "pbkdf2",
        "kdfparams": {
            "c": 262144,
            "dklen": 32,
            "prf": "hmac-sha256",
            "salt": "ae3cd4e7013836a3df6bd7241b12db061dbe2c6785853cce422d148a624ce0bd",
        },
        "mac": "517ead924a9d0dc3124507e3393d175ce3ff7c1e96529c6c555ce9e51205e9b2",
    },
    "id": "3198bc9c-6672-5ab3-d995-4942343ae5b6",
    "version": 3,
}
VECTOR_SECRET = bytes.fromhex("7a28b5ba57c53603b0b07b56bba752f7784bf506fa95edc395f5cf6c7514fe9d")


@settings(max_examples=10, deadline=None)
@given(secret=st.binary(min_size=32, max_size=32).filter(any), phrase=st.text(min_size=1, max_size=40))
def test_what_was_encrypted_is_decrypted_by_its_pass_phrase_alone(secret: bytes, phrase: str) -> None:
    document = json.loads(json.dumps(encrypt(secret, phrase, cost=2, address="0x" + "11" * 20)))

    assert decrypt(document, phrase) == secret
    with pytest.raises(KeystoreError, match="does not open"):
        decrypt(document, phrase + "x")


def test_eth_account_opens_our_files_and_we_open_its() -> None:
    ours = encrypt(SECRET, "phrase", cost=2**4, address=address_of(SECRET))

    assert bytes(Account.decrypt(ours, "phrase")) == SECRET
    # eth_account's blocks are small: from 2**16 on they are more than OpenSSL allows.
    for kind, iterations in KINDS:
        assert decrypt(Account.encrypt(SECRET, "phrase", kdf=kind, iterations=iterations), "phrase") == SECRET


def test_vector_of_the_format_opens() -> None:
    assert decrypt(VECTOR, "testpassword") == VECTOR_SECRET


@pytest.mark.parametrize(
    "changes",
    [
        {"kdfparams": {"n": 2**30}},
        {"kdfparams": {"n": 3}},
        {"kdfparams": {"n": -2}},
        {"kdfparams": {"n": "2"}},
        {"kdfparams": {"p": 1000}},
        {"kdfparams": {"dklen": 16}},
        {"kdfparams": {"salt": "no"}},
        {"kdf": "argon2"},
        {"kdf": "pbkdf2", "kdfparams": {"c": 10**12, "prf": "hmac-sha256"}},
        {"kdf": "pbkdf2", "kdfparams": {"c": 1, "prf": "hmac-md5"}},
        {"cipher": "aes-256-cbc"},
        {"cipherparams": {"iv": "00"}},
        {"ciphertext": "zz"},
        {"mac": 7},
    ],
)
def test_document_that_is_damaged_or_asks_too_much_is_refused(changes: dict[str, object]) -> None:
    document = encrypt(SECRET, "phrase", cost=2, address="0x" + "11" * 20)
    for name, value in changes.items():
        kept = document["crypto"][name]
        document["crypto"][name] = kept | value if isinstance(kept, dict) and isinstance(value, dict) else value

    with pytest.raises(KeystoreError):
        decrypt(document, "phrase")


@pytest.mark.parametrize("document", [{}, {"crypto": None, "version": 3}, {"crypto": {}, "version": 1}])
def test_document_of_another_form_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(KeystoreError):
        decrypt(document, "phrase")
