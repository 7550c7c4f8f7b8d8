"""The accounts that submit what members signed, as the deployment's settings name them: key files, and remote keys."""

import json
import os
import secrets
import stat
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from django.conf import settings
from eth_account import Account
from eth_account.signers.local import LocalAccount

from consortium.embedded.credentials import write_secret
from consortium.kernel.errors import ConsiliumError, InvalidInputError
from contracts.sending.relays import AnyRelay, Relay, RemoteRelay, SignedTransaction
from contracts.signing.channel import Certificates, SignerChannel
from contracts.signing.web3signer import Web3SignerKey, key_identifier, signer_url

__all__ = [
    "AnyRelay",
    "Relay",
    "RelayKeyError",
    "RemoteRelay",
    "SignedTransaction",
    "create_relay",
    "key_files",
    "key_passphrase",
    "load_relay",
    "relay_from_settings",
    "relays_from_settings",
    "remote_relays",
    "require_keys",
]

# A v3 keystore has about 500 bytes.
MAX_KEY_FILE_BYTES = 16_384
# Opening takes a fifth of a second; the pass phrase is a machine's secret, and the key has no rights.
SCRYPT_WORK = 2**16


# In the order of `Certificates`.
_SIGNER_FILES = ("RELAY_SIGNER_CERTIFICATE_FILE", "RELAY_SIGNER_KEY_FILE", "RELAY_SIGNER_AUTHORITY_FILE")
# A lane's row stays locked while a batch is signed.
MAX_SIGNER_TIMEOUT_SECONDS = 30


class RelayKeyError(ConsiliumError):
    """The relay's key is missing, readable by others, or cannot be opened."""

    code: ClassVar[str] = "relay_key"
    http_status: ClassVar[int] = 503


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
def relays_from_settings() -> tuple[AnyRelay, ...]:
    """Return the deployment's relays, one a lane, those behind a signer first; opened once a process.

    Raises
    ------
    RelayKeyError
        If none is named, a key cannot be opened, a setting of the signer is missing, or one key is named twice.
    """
    opened = [load_relay(path, passphrase=key_passphrase()) for path in key_files()]
    return tuple(require_keys([*remote_relays(), *opened]))


def require_keys(relays: list[AnyRelay]) -> list[AnyRelay]:
    """Return the relays, if there is one and none is named twice."""
    if not relays:
        raise RelayKeyError(
            "RELAY_KEY_FILE is not set: name the file of the relay's key, or a signer that holds it (RELAY_SIGNER_URL)."
        )
    if len({relay.address for relay in relays}) < len(relays):
        raise RelayKeyError(
            "RELAY_KEY_FILE and RELAY_SIGNER_KEYS name the same key twice. Name each once: a key is a lane."
        )
    return relays


def relay_from_settings() -> AnyRelay:
    """Return the first of the deployment's relays."""
    return relays_from_settings()[0]


def key_files() -> list[Path]:
    """The files that RELAY_KEY_FILE names, separated by commas."""
    return [Path(name) for name in (name.strip() for name in settings.RELAY_KEY_FILE.split(",")) if name]


def remote_relays() -> list[RemoteRelay]:
    """The keys of RELAY_SIGNER_KEYS behind the signer at RELAY_SIGNER_URL; nothing is asked of it yet."""
    if not settings.RELAY_SIGNER_URL:
        if settings.RELAY_SIGNER_KEYS:
            raise RelayKeyError("RELAY_SIGNER_KEYS names keys, and RELAY_SIGNER_URL no signer.")
        return []
    files = {name: getattr(settings, name) for name in _SIGNER_FILES}
    if missing := [
        name for name, value in {**files, "RELAY_SIGNER_KEYS": settings.RELAY_SIGNER_KEYS}.items() if not value
    ]:
        raise RelayKeyError(f"{', '.join(missing)} is not set; a signer is asked by mutual TLS alone, for named keys.")
    if not 1 <= settings.RELAY_SIGNER_TIMEOUT_SECONDS <= MAX_SIGNER_TIMEOUT_SECONDS:
        raise RelayKeyError(f"RELAY_SIGNER_TIMEOUT_SECONDS must lie within 1 and {MAX_SIGNER_TIMEOUT_SECONDS}.")
    certificates = Certificates(*(Path(files[name]) for name in _SIGNER_FILES))
    channel = SignerChannel(_signer_url(), certificates, float(settings.RELAY_SIGNER_TIMEOUT_SECONDS))
    return [RemoteRelay(Web3SignerKey(channel, _identifier(name))) for name in settings.RELAY_SIGNER_KEYS]


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


def _signer_url() -> str:
    try:
        return signer_url(settings.RELAY_SIGNER_URL)
    except InvalidInputError as error:
        raise RelayKeyError(f"RELAY_SIGNER_URL: {error.message}") from error


def _identifier(name: str) -> str:
    try:
        return key_identifier(name)
    except InvalidInputError as error:
        raise RelayKeyError(f"RELAY_SIGNER_KEYS: {error.message}") from error
