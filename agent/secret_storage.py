"""Web3 Secret Storage, version 3: one key encrypted under a pass phrase, as geth, Web3Signer and eth_account write it.

`eth_account` does this too, and brings half a second of imports (BLS curves among them) into every command.
"""

import hashlib
import hmac
import secrets
import uuid
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CTR

from agent.errors import KeystoreError
from consortium.kernel.digests import keccak256

VERSION = 3
_BLOCK_SIZE, _PARALLEL, _DERIVED_BYTES = 8, 1, 32
# Files of other programs may ask for more than we would: geth's own is 2**18 with r=8, a quarter of a gigabyte.
_GREATEST_MEMORY = 2**28
_GREATEST_ITERATIONS = 10_000_000


def encrypt(secret: bytes, passphrase: str, *, cost: int, address: str) -> dict[str, Any]:
    """Return the document that keeps a secret of 32 bytes; `cost` is scrypt's n, a power of two."""
    salt, start = secrets.token_bytes(32), secrets.token_bytes(16)
    parameters = {"dklen": _DERIVED_BYTES, "n": cost, "r": _BLOCK_SIZE, "p": _PARALLEL, "salt": salt.hex()}
    key = _scrypt(passphrase.encode(), parameters)
    ciphertext = _aes_ctr(key[:16], start, secret)
    return {
        "address": address.removeprefix("0x").lower(),
        "crypto": {
            "cipher": "aes-128-ctr",
            "cipherparams": {"iv": start.hex()},
            "ciphertext": ciphertext.hex(),
            "kdf": "scrypt",
            "kdfparams": parameters,
            "mac": keccak256(key[16:32] + ciphertext).hex(),
        },
        "id": str(uuid.uuid4()),
        "version": VERSION,
    }


def decrypt(document: Mapping[str, Any], passphrase: str) -> bytes:
    """Return the secret.

    Raises
    ------
    KeystoreError
        If the pass phrase is another one, the costs are beyond reason, or the document is of another form.
    """
    try:
        crypto = document["crypto"]
        if document["version"] != VERSION or crypto["cipher"] != "aes-128-ctr":
            raise KeystoreError("The keystore is not of version 3 with the cipher aes-128-ctr.")
        key = _derive(crypto["kdf"], crypto["kdfparams"], passphrase.encode())
        ciphertext, mac = bytes.fromhex(crypto["ciphertext"]), bytes.fromhex(crypto["mac"])
        if not hmac.compare_digest(keccak256(key[16:32] + ciphertext), mac):
            raise KeystoreError("The pass phrase does not open the keystore.")
        return _aes_ctr(key[:16], bytes.fromhex(crypto["cipherparams"]["iv"]), ciphertext)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise KeystoreError("The keystore is not of version 3. Restore it from a copy.") from error


def _derive(kind: str, parameters: Mapping[str, Any], passphrase: bytes) -> bytes:
    if kind == "scrypt":
        return _scrypt(passphrase, parameters)
    if kind == "pbkdf2" and parameters["prf"] == "hmac-sha256":
        if not 0 < parameters["c"] <= _GREATEST_ITERATIONS:
            raise KeystoreError("The keystore asks for an unreasonable number of iterations.")
        salt, length = bytes.fromhex(parameters["salt"]), _length(parameters)
        return hashlib.pbkdf2_hmac("sha256", passphrase, salt, parameters["c"], length)
    raise KeystoreError("The keystore's key derivation is neither scrypt nor pbkdf2 with hmac-sha256.")


def _scrypt(passphrase: bytes, parameters: Mapping[str, Any]) -> bytes:
    n, r, p = parameters["n"], parameters["r"], parameters["p"]
    if not (n > 0 and 0 < r <= 32 and 0 < p <= 16) or 128 * n * r > _GREATEST_MEMORY:
        raise KeystoreError("The keystore asks for an unreasonable scrypt cost.")
    salt, length = bytes.fromhex(parameters["salt"]), _length(parameters)
    if n >= 1 << 16 * r:
        # Beyond what the RFC allows for such small blocks, and OpenSSL with it; eth_account writes such files.
        from Crypto.Protocol.KDF import scrypt

        return bytes(scrypt(passphrase, salt, length, N=n, r=r, p=p))  # type: ignore[arg-type] # bytes are taken too
    # OpenSSL counts a few blocks beyond the table itself.
    memory = 128 * r * (n + p + 2) + 2**20
    return hashlib.scrypt(passphrase, salt=salt, n=n, r=r, p=p, maxmem=memory, dklen=length)


def _length(parameters: Mapping[str, Any]) -> int:
    if parameters["dklen"] != _DERIVED_BYTES:
        raise KeystoreError(f"The keystore's derived key does not have {_DERIVED_BYTES} bytes.")
    return _DERIVED_BYTES


def _aes_ctr(key: bytes, start: bytes, data: bytes) -> bytes:
    """Encrypt or decrypt: in counter mode they are one."""
    machine = Cipher(AES(key), CTR(start)).encryptor()
    return machine.update(data) + machine.finalize()
