"""Replacing one of the member's own keys: a new key beside the present one, the vote key's word, then the registry.

From the block on in which the registry lists the new key, it signs and the old one is refused. Until then, and in a
consortium that has not got that far, the old one signs; so nothing stands still, and a kill at any step changes only
when `rotate` is said again.
"""

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.chain import Chain, Consortium
from agent.client import PREFIX
from agent.errors import ConfigurationError, KeystoreError
from agent.folder import SiteFolder, read_private, write_private
from agent.journal import Journal
from agent.keystore import KeyPurpose, create_keystore, read_passphrase
from agent.letters import Letter, Letters
from agent.people import Person, Role
from agent.policy import SigningRequest
from agent.registered_keys import NUMBERS, REGISTRY, RegisteredKeys
from agent.signer import Signer
from agent.signing.keyring import Keyring, named_in
from consortium.kernel.eip712 import typed_hash
from consortium.kernel.errors import ConflictError
from consortium.kernel.identifiers import to_hex
from contracts.signing.keys import SigningKey
from contracts.signing.web3signer import Web3SignerKey

# The relay has so long to bring the signature to the chain; after that it is worth nothing.
LIFETIME_SECONDS = 3600
ROTATIONS_PATH = f"{PREFIX}/keys/rotations"


@dataclass(frozen=True, slots=True)
class PreparedRotation:
    """What is signed: the message, its digest (32 bytes), and the sentence that says it."""

    message: Mapping[str, Any]
    digest: bytes
    sentence: str


@dataclass(frozen=True, slots=True)
class LaidOutRotation:
    """A rotation in one consortium: listed by its registry, signed and on its way, or still to be signed."""

    consortium: Consortium
    is_listed: bool = False
    standing: Letter | None = None
    to_sign: PreparedRotation | None = None


class KeyRotation:
    """Rotates the keys of one member."""

    def __init__(
        self,
        *,
        keyring: Keyring,
        registered: RegisteredKeys,
        chain: Chain,
        signer: Signer,
        journal: Journal,
        letters: Letters,
        folder: SiteFolder,
        organization: bytes,
    ) -> None:
        self._keyring = keyring
        self._registered = registered
        self._chain = chain
        self._signer = signer
        self._journal = journal
        self._letters = letters
        self._folder = folder
        self._organization = organization

    def prepare(self, purpose: KeyPurpose, *, person: Person, identifier: str = "") -> str:
        """Return the address of the key that is to come, making it if there is none yet.

        Parameters
        ----------
        identifier : str
            The public key of a key that Web3Signer has loaded; without it a keystore is made, unless site.toml names
            a signer whose key is not in use yet: then that key is the one.

        Raises
        ------
        PersonRefusedError
            If the person is no voter.
        KeystoreError
            If another key is on its way already, or the signer has no such key.
        """
        person.require(Role.VOTER)
        path = self._folder.next_key(purpose)
        if path.exists():
            return self._require_same(purpose, identifier).address
        if identifier:
            new = self._keyring.remote_named(purpose, identifier)
            self._require_loaded(new)
            write_private(path, json.dumps({"web3signer": new.identifier}).encode())
            address = new.address
        elif moved := self._moved(purpose):
            self._require_loaded(moved)
            address = moved.address
        else:
            self._require_keystore(purpose)
            address = create_keystore(path, read_passphrase(self._folder))
        self._journal.record("key", "made", person=person.name, purpose=purpose.value, address=address)
        return address

    def target(self, purpose: KeyPurpose) -> SigningKey | None:
        """Return the key that is to come, if one is."""
        path = self._folder.next_key(purpose)
        if not path.exists():
            return self._moved(purpose)
        if identifier := named_in(path):
            return self._keyring.remote_named(purpose, identifier)
        address = "0x" + json.loads(read_private(path))["address"]
        return next(key for key in self._keyring.held(purpose) if key.address.lower() == address)

    def lay_out(self, consortium: Consortium, purpose: KeyPurpose) -> LaidOutRotation:
        """Return how far the rotation is in one consortium, with what is still to be signed.

        Raises
        ------
        KeystoreError
            If no key is on its way, or this site has not got the vote key that the registry lists.
        """
        new = self._coming(purpose)
        if self._registered.address(purpose, consortium.id) == new.address:
            return LaidOutRotation(consortium, is_listed=True)
        self._require_vote_key(consortium.id)
        if standing := self._standing(consortium, _decision(consortium, purpose, new.address)):
            return LaidOutRotation(consortium, standing=standing)
        message = self._message(consortium, purpose, new.address, self._chain.head().time + LIFETIME_SECONDS)
        return LaidOutRotation(consortium, to_sign=self._prepared(consortium, message))

    def sign(
        self,
        consortium: Consortium,
        purpose: KeyPurpose,
        *,
        person: Person,
        deadline: int | None = None,
        digest: bytes | None = None,
    ) -> Letter | None:
        """Return the signed rotation for one consortium; None if its registry lists the new key already.

        Parameters
        ----------
        deadline, digest
            What the person read, where the sentence was shown before: Unix seconds, and 32 bytes.

        Raises
        ------
        KeystoreError
            If no key is on its way, or this site has not got the vote key that the registry lists.
        ConflictError
            If what would be signed is not what the person read, or that has expired.
        """
        person.require(Role.VOTER)
        new = self._coming(purpose)
        if self._registered.address(purpose, consortium.id) == new.address:
            return None
        self._require_vote_key(consortium.id)
        decision = _decision(consortium, purpose, new.address)
        if standing := self._standing(consortium, decision):
            return standing
        prepared = self._prepared(consortium, self._message(consortium, purpose, new.address, self._until(deadline)))
        if digest is not None and digest != prepared.digest:
            raise ConflictError("This replacement has changed since you read it. Read it again; nothing was signed.")
        return self._signed(consortium, decision, prepared.message, person)

    def settle(self, purpose: KeyPurpose) -> bool:
        """Put the new key in the old one's place if every registry lists it; say whether it is there."""
        new = self.target(purpose)
        if new is None:
            return True
        consortia = self._registered.consortia_of_member(purpose)
        if not consortia or any(self._registered.address(purpose, one) != new.address for one in consortia):
            return False
        with self._journal.transaction():
            self._promote(purpose, new)
            self._journal.record("key", "in_use", purpose=purpose.value, address=new.address)
        return True

    def _coming(self, purpose: KeyPurpose) -> SigningKey:
        if (new := self.target(purpose)) is None:
            raise KeystoreError(f"No new {purpose} key is on its way.")
        return new

    def _until(self, deadline: int | None) -> int:
        """Until when the signature is worth something; what was read before counts for as long as we would give it."""
        now = self._chain.head().time
        if deadline is None:
            return now + LIFETIME_SECONDS
        if not now < deadline <= now + LIFETIME_SECONDS:
            raise ConflictError("What you read has expired. Read it again; nothing was signed.")
        return deadline

    def _prepared(self, consortium: Consortium, message: Mapping[str, Any]) -> PreparedRotation:
        domain = consortium.domain(REGISTRY)
        said = self._signer.sentence(SigningRequest("RotateKey", domain, message, consortium.id))
        return PreparedRotation(message, typed_hash(domain, "RotateKey", message), said)

    def _moved(self, purpose: KeyPurpose) -> Web3SignerKey | None:
        """Return the key behind the signer that site.toml names, while the registries still list the keystore's."""
        remote = self._keyring.remote(purpose)
        if remote is None or not self._folder.keystore(purpose).exists():
            return None
        return remote

    def _require_same(self, purpose: KeyPurpose, identifier: str) -> SigningKey:
        coming = self.target(purpose)
        if coming is None or (identifier and self._keyring.remote_named(purpose, identifier).address != coming.address):
            path = self._folder.next_key(purpose)
            raise KeystoreError(
                f"Another new {purpose} key is on its way ({path}). Finish that first, or remove the file."
            )
        return coming

    def _require_loaded(self, key: Web3SignerKey) -> None:
        if not key.is_loaded():
            raise KeystoreError(f"The signer has not loaded the key {key.identifier}. Load it there, then try again.")

    def _require_keystore(self, purpose: KeyPurpose) -> None:
        if self._keyring.remote(purpose) is not None:
            raise KeystoreError(
                f"The {purpose} key lies behind Web3Signer. Make the new one there and name it with --identifier."
            )

    def _require_vote_key(self, consortium: uuid.UUID) -> None:
        listed = self._registered.address(KeyPurpose.VOTE, consortium)
        if self._keyring.by_address(KeyPurpose.VOTE, listed) is None:
            raise KeystoreError(
                f"The registry lists the vote key {listed}, which this site has not got. The members replace it by "
                "vote: consilium-site keys rotate vote --by-vote shows the act that another member proposes."
            )

    def _message(self, consortium: Consortium, purpose: KeyPurpose, address: str, deadline: int) -> dict[str, Any]:
        return {
            **{"organization": self._organization, "purpose": NUMBERS[purpose], "newKey": address},
            "nonce": self._letters.next_nonce(_scope(consortium), self._on_chain(consortium)),
            "deadline": deadline,
        }

    def _standing(self, consortium: Consortium, decision: str) -> Letter | None:
        """Return the letter of this same rotation while it holds its number."""
        on_chain = self._on_chain(consortium)
        free = self._letters.next_nonce(_scope(consortium), on_chain)
        letters = [letter for letter in self._letters.of_decision(decision) if letter.state != "refused"]
        return next((letter for letter in reversed(letters) if on_chain <= letter.nonce < free), None)

    def _on_chain(self, consortium: Consortium) -> int:
        return int(self._chain.call(consortium.reference(REGISTRY), "nonceOf", self._organization))

    def _signed(self, consortium: Consortium, decision: str, message: Mapping[str, Any], person: Person) -> Letter:
        domain = consortium.domain(REGISTRY)
        digest = to_hex(typed_hash(domain, "RotateKey", message))
        request = SigningRequest("RotateKey", domain, message, consortium.id, person)
        said = self._signer.sentence(request)
        new = message["newKey"]
        self._journal.decide(decision, new, kind="rotation", digest=digest, person=person.name, sentence=said)
        signed = self._signer.sign(request)
        body = {
            **{"consortium": str(consortium.id), "purpose": message["purpose"], "new_key": message["newKey"]},
            **{"nonce": message["nonce"], "deadline": message["deadline"], "signature": to_hex(signed.signature)},
        }
        letter = Letter(digest, decision, _scope(consortium), message["nonce"], ROTATIONS_PATH, body)
        self._letters.keep(letter)
        return letter

    def _promote(self, purpose: KeyPurpose, new: SigningKey) -> None:
        present, coming = self._folder.keystore(purpose), self._folder.next_key(purpose)
        if not coming.exists():
            self._retire(purpose, present)
        elif identifier := named_in(coming):
            self._rename_in_configuration(purpose, identifier)
            coming.unlink()
        else:
            if present.exists():
                self._retire(purpose, present)
            coming.rename(present)

    def _retire(self, purpose: KeyPurpose, present: Path) -> None:
        address = "0x" + json.loads(read_private(present))["address"].removeprefix("0x")
        present.rename(self._folder.retired_key(purpose, address))

    def _rename_in_configuration(self, purpose: KeyPurpose, identifier: str) -> None:
        """Write the new public key where site.toml has the old one; a public key stands nowhere else."""
        before = self._keyring.remote(purpose)
        text = read_private(self._folder.configuration).decode()
        old = before.identifier if before else ""
        if not old or text.lower().count(old.removeprefix("0x")) != 1:
            raise ConfigurationError(f"Set signer.{purpose}.identifier in site.toml to {identifier} by hand.")
        start = text.lower().index(old.removeprefix("0x"))
        changed = text[:start] + identifier.removeprefix("0x") + text[start + len(old) - 2 :]
        write_private(self._folder.configuration, changed.encode())


def replacement(organization: bytes, purpose: KeyPurpose, address: str, consortium: uuid.UUID) -> dict[str, Any]:
    """Return the act by which the members replace a key that its owner has lost, for another member to propose."""
    arguments = {"id": to_hex(organization), "purpose": NUMBERS[purpose], "newKey": address}
    words = f"Replaces the {purpose} key that its owner has lost or that somebody else holds."
    return {"consortium": str(consortium), "kind": "ReplaceKey", "description": words, "arguments": arguments}


def _decision(consortium: Consortium, purpose: KeyPurpose, address: str) -> str:
    return f"rotation:{consortium.chain_id}:{consortium.reference(REGISTRY).address}:{purpose}:{address}"


def _scope(consortium: Consortium) -> str:
    return f"{consortium.reference(REGISTRY).address}:keys"
