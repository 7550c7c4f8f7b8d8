"""The keys that this site can sign with: for each purpose the one in use, and beside it a new one being brought in.

Which of them signs is not the keyring's to say: the registry lists one, and `agent.signer` takes that.
"""

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from agent.errors import KeystoreError
from agent.folder import SiteFolder, read_private
from agent.keystore import KeyPurpose, load_keystore, read_passphrase
from agent.signing.settings import Remote, SignerSettings
from consortium.kernel.errors import InvalidInputError
from contracts.signing.channel import Certificates, SignerChannel
from contracts.signing.keys import SigningKey
from contracts.signing.web3signer import Web3SignerKey, key_identifier

Settings = Callable[[], Mapping[KeyPurpose, SignerSettings]]
_Marks = tuple[tuple[int, int], ...]


class Keyring:
    """One site's keys, each opened once a process; files that appear while it runs are noticed."""

    def __init__(self, folder: SiteFolder, settings: Settings) -> None:
        self._folder = folder
        self._settings = settings
        self._lock = threading.Lock()
        self._held: dict[KeyPurpose, dict[str, SigningKey]] = {purpose: {} for purpose in KeyPurpose}
        self._seen: dict[KeyPurpose, _Marks] = {}

    def __repr__(self) -> str:
        return f"Keyring({self._folder.root})"

    def held(self, purpose: KeyPurpose) -> tuple[SigningKey, ...]:
        """Return the keys of a purpose, the one in use first.

        Raises
        ------
        KeystoreError
            If there is none, or a file cannot be opened.
        """
        with self._lock:
            marks = self._marks(purpose)
            if self._seen.get(purpose) != marks:
                self._open(purpose)
                self._seen[purpose] = marks
            held = tuple(self._held[purpose].values())
        if not held:
            raise KeystoreError(
                f"keys/{purpose}.json is missing. Restore it from a copy, or name a signer in site.toml."
            )
        return held

    def by_address(self, purpose: KeyPurpose, address: str) -> SigningKey | None:
        """Return the key of this address, if this site has it."""
        return next((key for key in self.held(purpose) if key.address == address), None)

    def remote(self, purpose: KeyPurpose) -> Web3SignerKey | None:
        """Return the key that site.toml places behind Web3Signer, if it does."""
        remote = self._settings()[purpose].remote
        return None if remote is None else self._remote_key(remote)

    def remote_named(self, purpose: KeyPurpose, identifier: str) -> Web3SignerKey:
        """Return another key of the signer that site.toml names; `KeystoreError` if it names none."""
        remote = self._settings()[purpose].remote
        if remote is None:
            raise KeystoreError(f"site.toml names no signer for the {purpose} key. Set [signer.{purpose}] first.")
        return self._remote_key(remote, key_identifier(identifier))

    def _open(self, purpose: KeyPurpose) -> None:
        """Open what is not open yet, and forget a keystore whose file is gone.

        A key behind a signer stays: this process read site.toml at its start, and a command may have changed it since.
        """
        before = self._held[purpose]
        wanted = {key.address: key for key in self._present(purpose, before)}
        elsewhere = {address: key for address, key in before.items() if isinstance(key, Web3SignerKey)}
        self._held[purpose] = wanted | {address: key for address, key in elsewhere.items() if address not in wanted}

    def _present(self, purpose: KeyPurpose, known: Mapping[str, SigningKey]) -> list[SigningKey]:
        found: list[SigningKey] = [key for key in [self.remote(purpose)] if key is not None]
        paths = [self._folder.keystore(purpose), self._folder.next_key(purpose)]
        return found + [self._from_file(purpose, path, known) for path in paths if path.exists()]

    def _from_file(self, purpose: KeyPurpose, path: Path, known: Mapping[str, SigningKey]) -> SigningKey:
        if identifier := named_in(path):
            return self.remote_named(purpose, identifier)
        opened = load_keystore(path, purpose, read_passphrase(self._folder))
        return known.get(opened.address, opened)

    def _remote_key(self, remote: Remote, identifier: str = "") -> Web3SignerKey:
        paths = (self._folder.root / path for path in (remote.certificate, remote.key, remote.authority))
        channel = SignerChannel(remote.url, Certificates(*paths), float(remote.timeout_seconds))
        return Web3SignerKey(channel, identifier or remote.identifier, remote.interface)

    def _marks(self, purpose: KeyPurpose) -> _Marks:
        """Return what tells whether the files are those that were opened."""
        paths = (self._folder.keystore(purpose), self._folder.next_key(purpose))
        states = [path.stat() if path.exists() else None for path in paths]
        return tuple((state.st_ino, state.st_mtime_ns) if state else (0, 0) for state in states)


def named_in(path: Path) -> str:
    """Return the public key that a file names instead of holding a key; empty for a keystore."""
    try:
        document = json.loads(read_private(path))
        identifier = document.get("web3signer", "") if isinstance(document, dict) else ""
        return key_identifier(identifier) if identifier else ""
    except (ValueError, InvalidInputError) as error:
        raise KeystoreError(f"{path} is neither a keystore nor names a key. Restore it from a copy.") from error
