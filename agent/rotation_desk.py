"""A key's replacement as a person meets it: how far it is, in every consortium, and what is signed for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from agent.chain import Consortium
from agent.errors import KeystoreError
from agent.keystore import KeyPurpose
from agent.letters import Letter
from agent.people import Person, Role
from agent.rotation import LaidOutRotation
from agent.site import Site
from agent.trust_file import consortium_of
from consortium.kernel.errors import ConflictError, ConsiliumError


@dataclass(frozen=True, slots=True)
class KeyState:
    """One of the member's keys; `coming` is the address of the new one, if one is on its way.

    `trouble` says why nothing can be signed for it here: node away, or the vote key is not at this site.
    """

    purpose: KeyPurpose
    address: str
    is_remote: bool
    coming: str = ""
    rotations: tuple[LaidOutRotation, ...] = ()
    trouble: str = ""

    @property
    def to_sign(self) -> list[LaidOutRotation]:
        return [one for one in self.rotations if one.to_sign is not None]

    @property
    def is_listed(self) -> bool:
        """Whether every registry lists the new key, so that it may take the old one's place."""
        return bool(self.rotations) and all(one.is_listed for one in self.rotations)


@dataclass(frozen=True, slots=True)
class Read:
    """What a person read of one consortium's rotation: its deadline in Unix seconds, and its digest."""

    deadline: int
    digest: bytes


class RotationDesk:
    """Key rotations of one site. All of it blocks, for it asks the node."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def look(self) -> list[KeyState]:
        """Return both keys as they stand; what cannot be seen says why."""
        return [self._look(purpose) for purpose in (KeyPurpose.SITE, KeyPurpose.VOTE)]

    def make(self, purpose: KeyPurpose, *, person: Person, identifier: str = "") -> str:
        """Make the new key beside the present one, or take up the one that Web3Signer has; return its address."""
        return self._site.rotation.prepare(purpose, person=person, identifier=identifier)

    def sign(self, purpose: KeyPurpose, read: Mapping[UUID, Read], *, person: Person) -> list[Letter]:
        """Sign what the person read, in each consortium that still needs it; return the letters.

        Raises
        ------
        PersonRefusedError, KeystoreError
        ConflictError
            If a consortium asks for something that the person did not read.
        """
        person.require(Role.VOTER)
        needed = [one for one in self._laid_out(purpose) if one.to_sign is not None]
        if missing := [str(one.consortium.id) for one in needed if one.consortium.id not in read]:
            raise ConflictError(f"You did not read what is signed for {', '.join(missing)}. Nothing was signed.")
        letters = []
        for one in needed:
            seen = read[one.consortium.id]
            letters.append(
                self._site.rotation.sign(
                    one.consortium, purpose, person=person, deadline=seen.deadline, digest=seen.digest
                )
            )
        return [letter for letter in letters if letter is not None]

    def finish(self, purpose: KeyPurpose, *, person: Person) -> None:
        """Put the new key in the old one's place; `ConflictError` while a registry does not list it."""
        person.require(Role.VOTER)
        if not self._site.rotation.settle(purpose):
            raise ConflictError("Not every registry lists the new key yet; until then the old one signs there.")

    def _look(self, purpose: KeyPurpose) -> KeyState:
        remote = self._site.keyring.remote(purpose)
        address = ""
        try:
            address = self._site.signer.address(purpose)
            new = self._site.rotation.target(purpose)
            rotations = self._laid_out(purpose) if new is not None else []
        except ConsiliumError as error:
            return KeyState(purpose, address, remote is not None, self._coming(purpose), trouble=error.message)
        return KeyState(purpose, address, remote is not None, new.address if new else "", tuple(rotations))

    def _coming(self, purpose: KeyPurpose) -> str:
        try:
            new = self._site.rotation.target(purpose)
        except ConsiliumError:
            return ""
        return new.address if new else ""

    def _laid_out(self, purpose: KeyPurpose) -> list[LaidOutRotation]:
        found = [self._site.rotation.lay_out(one, purpose) for one in checked_consortia(self._site)]
        if not found:
            raise KeystoreError("This site has checked no consortium yet. Come back when the running agent has.")
        return found


def checked_consortia(site: Site) -> list[Consortium]:
    """Return the consortia that this site has pinned, their contracts looked at once more."""
    chain_id = site.configuration.chain_id
    pinned = [consortium_of(one, chain_id, site.pins.of(one)) for one in site.pins.consortia()]
    return [site.trust.admit(one) for one in pinned]
