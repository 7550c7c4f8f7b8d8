"""The account that submits what members signed: it pays nothing, votes nowhere, and has no rights of its own."""

import json
import os
import secrets
import stat
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from eth_account import Account
from eth_account.signers.local import LocalAccount

from consortium.embedded.credentials import write_secret
from consortium.kernel.digests import keccak256
from consortium.kernel.errors import ConsiliumError
from contracts.transactions import sign_free

# A v3 keystore has about 500 bytes.
MAX_KEY_FILE_BYTES = 16_384
# Opening takes a fifth of a second; the pass phrase is a machine's secret, and the key has no rights.
SCRYPT_WORK = 2**16


class RelayKeyError(ConsiliumError):
    """The relay's key is missing, readable by others, or cannot be opened."""

    code: ClassVar[str] = "relay_key"
    http_status: ClassVar[int] = 503


@dataclass(frozen=True)
class SignedTransaction:
    """The bytes to send and their hash (32 bytes)."""

    raw: bytes
    hash: bytes


class Relay:
    """Signs transactions without a price; the key stays inside."""

    def __init__(self, account: LocalAccount) -> None:
        self._account = account
        self.address: str = account.address

    def __repr__(self) -> str:
        return f"Relay({self.address})"

    def sign(self, *, to: str | None, data: bytes, nonce: int, gas: int, chain_id: int) -> SignedTransaction:
        """Sign a call, or a creation where `to` is None (EIP-1559, both fees zero: gas is free here)."""
        key = bytes(self._account.key)
        raw = sign_free(key, to=to, data=data, nonce=nonce, gas=gas, chain_id=chain_id)
        return SignedTransaction(raw, keccak256(raw))


def create_relay(path: Path, *, passphrase: str | None = None) -> Relay:
    """Make a key at `path` (mode 0600): a v3 keystore with a pass phrase, else the plain key.

    Raises
    ------
    RelayKeyError
        If there is a file already; it is left as it is.
    """
    if path.exists():
        raise RelayKeyError(f"{path} is there already and is kept. Name another file to make another relay.")
    account: LocalAccount = Account.from_key(secrets.token_bytes(32))
    if passphrase:
        write_secret(path, json.dumps(Account.encrypt(account.key, passphrase, kdf="scrypt", iterations=SCRYPT_WORK)))
    else:
        write_secret(path, f"0x{bytes(account.key).hex()}\n")
    return Relay(account)


def load_relay(path: Path, *, passphrase: str | None = None) -> Relay:
    """Open the key at `path`, which only its owner may read."""
    try:
        mode, size = path.stat().st_mode, path.stat().st_size
        if stat.S_IMODE(mode) & 0o077:
            raise RelayKeyError(f"{path} can be read by others. Run: chmod 600 {path}")
        if size > MAX_KEY_FILE_BYTES:
            raise RelayKeyError(f"{path} is too large for a key.")
        return Relay(_account(path.read_text().strip(), passphrase))
    except OSError as error:
        raise RelayKeyError(
            f"The relay's key {path} cannot be read ({error.strerror}). Make one with `manage.py relay create`, "
            "or correct RELAY_KEY_FILE."
        ) from error


@lru_cache(maxsize=1)
def relays_from_settings() -> tuple[Relay, ...]:
    """Return the deployment's relays, one a lane, opened once a process.

    Raises
    ------
    RelayKeyError
        If a key cannot be opened, or two files hold the same.
    """
    relays = tuple(load_relay(path, passphrase=key_passphrase()) for path in key_files())
    if len({relay.address for relay in relays}) < len(relays):
        raise RelayKeyError("Two files of RELAY_KEY_FILE hold the same key. Name each once: a key is a lane.")
    return relays


def relay_from_settings() -> Relay:
    """Return the first of the deployment's relays."""
    return relays_from_settings()[0]


def key_files() -> list[Path]:
    """The files that RELAY_KEY_FILE names, separated by commas."""
    names = [name.strip() for name in settings.RELAY_KEY_FILE.split(",") if name.strip()]
    if not names:
        raise RelayKeyError("RELAY_KEY_FILE is not set: name the file of the relay's key.")
    return [Path(name) for name in names]


def key_passphrase() -> str | None:
    """The keystores' pass phrase, from the file that RELAY_PASSPHRASE_FILE names; None for a plain key."""
    if not (name := os.environ.get("RELAY_PASSPHRASE_FILE", "")):
        return None
    try:
        return Path(name).read_text().strip()
    except OSError as error:
        raise RelayKeyError(f"RELAY_PASSPHRASE_FILE names {name}, which cannot be read.") from error


def _account(text: str, passphrase: str | None) -> LocalAccount:
    is_keystore = text.startswith("{")
    if is_keystore and passphrase is None:
        raise RelayKeyError("The relay's keystore needs a pass phrase: set RELAY_PASSPHRASE_FILE.")
    try:
        account: LocalAccount = Account.from_key(
            Account.decrypt(json.loads(text), passphrase or "") if is_keystore else text
        )
    except (ValueError, TypeError) as error:
        raise RelayKeyError("The relay's key cannot be opened: wrong pass phrase, or no key at all.") from error
    return account
