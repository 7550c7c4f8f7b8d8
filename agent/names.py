"""What organizations are called: by documents that their digest on the chain vouches for, else by their id."""

import uuid

from agent.chain import Chain, Consortium
from agent.client import PlatformClient
from consortium.kernel.canonical import parse_canonical
from consortium.kernel.digests import bytes32_to_digest
from consortium.kernel.errors import ConsiliumError, InvalidInputError
from consortium.kernel.identifiers import bytes32_to_uuid, to_hex

MAX_PROFILE_BYTES = 64 * 1024
_MAX_NAME_CHARACTERS = 200


class NameBook:
    """Names by organization id; a name enters only with a profile whose digest is the registry's."""

    def __init__(self, own: uuid.UUID, own_name: str) -> None:
        self._names: dict[bytes, str] = {own.bytes + bytes(16): own_name}

    def name(self, identifier: bytes) -> str:
        """Return the verified name with the start of the id, or the id in full."""
        if known := self._names.get(identifier):
            return known
        try:
            return str(bytes32_to_uuid(identifier))
        except InvalidInputError:
            return to_hex(identifier)

    def learn(self, identifier: bytes, profile: bytes) -> None:
        """Take the name from a profile document that the caller has held to its digest."""
        try:
            name = parse_canonical(profile, max_bytes=MAX_PROFILE_BYTES)["name"]
        except (InvalidInputError, KeyError, TypeError):
            return
        if type(name) is str and name.strip() and len(name) <= _MAX_NAME_CHARACTERS and name.isprintable():
            # Two organizations may choose one name; the id tells them apart.
            self._names.setdefault(identifier, f"{name.strip()} ({identifier[:4].hex()})")

    def knows(self, identifier: bytes) -> bool:
        return identifier in self._names


async def learn_name(book: NameBook, client: PlatformClient, organization: bytes, profile: bytes) -> None:
    """Fetch the profile that the digest names and learn from it; without one the id is shown."""
    if book.knows(organization) or not any(profile):
        return
    try:
        content = await client.blob(bytes32_to_digest(profile), largest=MAX_PROFILE_BYTES)
    except ConsiliumError:
        return
    book.learn(organization, content)


def profile_of(chain: Chain, consortium: Consortium, organization: bytes) -> bytes:
    """Return the digest of an organization's profile, as the registry keeps it."""
    record = chain.call(consortium.reference("ConsortiumRegistry"), "organization", organization)
    return bytes(record["profile"])
