"""The member's two keys: v3 keystore files, opened once a process, their bytes shown to nobody."""

import json
import os
import secrets
from enum import StrEnum
from pathlib import Path
from typing import NoReturn

import coincurve

from agent.errors import KeystoreError
from agent.folder import SiteFolder, read_private, write_private
from agent.secret_storage import decrypt, encrypt
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.secp256k1 import address_of, checksum_address, sign_digest
from contracts.signing.keys import TypedData

PASSPHRASE_FILE_VARIABLE = "CONSILIUM_SITE_PASSPHRASE_FILE"  # noqa: S105  a variable's name
# 16 MiB and about 50 ms. The pass phrase is 32 random bytes, so nothing is guessed; a start stays under half a second.
SCRYPT_COST = 2**14
_GREATEST_COST = 2**18


class KeyPurpose(StrEnum):
    """What the registry knows the member's keys for."""

    VOTE = "vote"
    SITE = "site"


class LoadedKey:
    """A key that signs; neither its text nor its representation shows the secret, and no copy of it can be made."""

    __slots__ = ("_secret", "address", "purpose")
    place = "keystore"

    def __init__(self, purpose: KeyPurpose, address: str, secret: bytes) -> None:
        self.purpose = purpose
        self.address = address
        self._secret = secret

    def __repr__(self) -> str:
        return f"LoadedKey({self.purpose}, {self.address})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("A key is not copied or pickled: it would leave the process.")

    def sign(self, data: TypedData) -> bytes:
        """Return r, s, v over the message's digest; the same bytes each time (RFC 6979)."""
        return sign_digest(data.digest, self._secret)


def names_passphrase() -> bool:
    """Say whether the environment names a file with the pass phrase, so that the folder holds none."""
    return bool(os.environ.get(PASSPHRASE_FILE_VARIABLE))


def create_passphrase(folder: SiteFolder) -> None:
    """Write a new random pass phrase for the key files."""
    write_private(folder.passphrase, secrets.token_urlsafe(32).encode())


def read_passphrase(folder: SiteFolder) -> str:
    """Return the key files' pass phrase from the file the environment names, else from the folder's own."""
    named = os.environ.get(PASSPHRASE_FILE_VARIABLE)
    content = read_private(Path(named) if named else folder.passphrase)
    if not (text := content.decode(errors="replace").strip("\r\n")):
        raise KeystoreError("The file with the keys' pass phrase is empty.")
    return text


def create_key(folder: SiteFolder, purpose: KeyPurpose, passphrase: str) -> str:
    """Make a key, write its keystore file and return its address; `KeystoreError` if there is one."""
    return create_keystore(folder.keystore(purpose), passphrase)


def create_keystore(path: Path, passphrase: str) -> str:
    """Make a key, write it to the path and return its address; `KeystoreError` if there is a file."""
    if path.exists():
        raise KeystoreError(f"{path} exists. A key is never overwritten: consilium-site keys rotate brings a new one.")
    secret = coincurve.PrivateKey().secret
    address = address_of(secret)
    document = encrypt(secret, passphrase, cost=SCRYPT_COST, address=address)
    write_private(path, json.dumps(document).encode())
    return address


def load_key(folder: SiteFolder, purpose: KeyPurpose, passphrase: str) -> LoadedKey:
    """Open the keystore file of the key in use; see `load_keystore`."""
    return load_keystore(folder.keystore(purpose), purpose, passphrase)


def load_keystore(path: Path, purpose: KeyPurpose, passphrase: str) -> LoadedKey:
    """Open a keystore file.

    Raises
    ------
    KeystoreError
        If the file is no keystore, its cost is beyond reason, or the pass phrase is another one.
    """
    document = _read_document(path)
    try:
        secret = decrypt(document, passphrase)
        address = address_of(secret)
    except (KeystoreError, ValueError) as error:
        why = error.message if isinstance(error, KeystoreError) else "Its content is no key."
        raise KeystoreError(f"The pass phrase does not open keys/{path.name}. {why}") from error
    if "address" in document and address != _address(document):
        raise KeystoreError(f"keys/{path.name} names another address than its key has. Restore it from a copy.")
    return LoadedKey(purpose, address, secret)


def address_in(folder: SiteFolder, purpose: KeyPurpose) -> str:
    """Return the address that the keystore file of the key in use names, without opening it."""
    return _address(_read_document(folder.keystore(purpose)))


def _read_document(path: Path) -> dict[str, object]:
    try:
        document = json.loads(read_private(path))
        cost = document["crypto"]["kdfparams"].get("n", 0)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise KeystoreError(f"{path} is not a v3 keystore. Restore it from a copy.") from error
    if type(cost) is not int or cost > _GREATEST_COST:
        raise KeystoreError(f"{path} asks for an unreasonable scrypt cost.")
    return dict(document)


def _address(document: dict[str, object]) -> str:
    text = str(document.get("address", ""))
    try:
        return checksum_address(text if text.startswith("0x") else f"0x{text}")
    except InvalidInputError as error:
        raise KeystoreError("The keystore names no address. Restore it from a copy.") from error
