"""The member's own people: names, roles, and pass phrases as scrypt hashes.

To begin with the member page knows its people so; a WebAuthn credential a person follows.
"""

import hashlib
import hmac
import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from agent.errors import FolderError, PersonRefusedError
from agent.folder import SiteFolder, read_private, write_private
from consortium.kernel.errors import InvalidInputError

# OWASP's second choice of parameters (N=2^16, r=8, p=2 at half the memory): 32 MiB, about 0.1 s.
SCRYPT_N, SCRYPT_R, SCRYPT_P = 2**15, 8, 1
_SCRYPT_MEMORY_BYTES = 64 * 1024 * 1024
MINIMUM_CHARACTERS = 12
MAXIMUM_CHARACTERS = 256
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z")


class Role(StrEnum):
    """What a person may do on this page; the same words as on the platform."""

    VOTER = "voter"
    STEWARD = "steward"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody of this member who has proven who they are."""

    name: str
    display_name: str
    roles: frozenset[Role]

    def require(self, role: Role) -> None:
        """Refuse a person without the role."""
        if role not in self.roles:
            raise PersonRefusedError(f"Only a {role} of this member may do this. Ask one, or your administrator.")


class People:
    """people.json, read at each question so that a new person needs no restart."""

    def __init__(self, folder: SiteFolder) -> None:
        self._folder = folder

    def add(self, *, name: str, display_name: str, roles: frozenset[Role], pass_phrase: str) -> Person:
        """Add a person; `InvalidInputError` if the name is taken or a rule is broken."""
        records = self._records()
        if not _NAME.match(name):
            raise InvalidInputError("A log-in name has 1 to 64 small letters, digits, dots, dashes or underscores.")
        if name in records:
            raise InvalidInputError(f"There is a person {name} already.")
        if not roles or not display_name.strip() or not display_name.isprintable():
            raise InvalidInputError("A person has a name to show and at least one role.")
        if not MINIMUM_CHARACTERS <= len(pass_phrase) <= MAXIMUM_CHARACTERS:
            raise InvalidInputError(f"A pass phrase has {MINIMUM_CHARACTERS} to {MAXIMUM_CHARACTERS} characters.")
        salt = secrets.token_bytes(16)
        records[name] = {
            "display_name": display_name,
            "roles": sorted(roles),
            "salt": salt.hex(),
            "hash": _scrypt(pass_phrase, salt).hex(),
        }
        write_private(self._folder.people, json.dumps({"people": records}, indent=1, sort_keys=True).encode())
        return Person(name, display_name, roles)

    def find(self, name: str) -> Person | None:
        """Return the person of that name, proven by nothing."""
        record = self._records().get(name)
        return None if record is None else _person(name, record)

    def authenticate(self, name: str, pass_phrase: str) -> Person:
        """Return the person whose pass phrase this is.

        An unknown name takes as long as a wrong pass phrase and gets the same answer.
        """
        record = self._records().get(name)
        salt = bytes.fromhex(record["salt"]) if record else bytes(16)
        expected = bytes.fromhex(record["hash"]) if record else bytes(32)
        given = _scrypt(pass_phrase[:MAXIMUM_CHARACTERS], salt)
        fits = len(pass_phrase) <= MAXIMUM_CHARACTERS and hmac.compare_digest(given, expected)
        if record is None or not fits:
            raise PersonRefusedError("The name or the pass phrase is wrong. Try again.")
        return _person(name, record)

    def _records(self) -> dict[str, dict[str, Any]]:
        if not self._folder.people.exists():
            return {}
        try:
            return dict(json.loads(read_private(self._folder.people))["people"])
        except (ValueError, KeyError, TypeError) as error:
            raise FolderError(
                "people.json is damaged. Restore it from a copy, or remove it and add the people."
            ) from error


def _person(name: str, record: Mapping[str, Any]) -> Person:
    return Person(name, str(record["display_name"]), frozenset(Role(role) for role in record["roles"]))


def _scrypt(pass_phrase: str, salt: bytes) -> bytes:
    return hashlib.scrypt(
        pass_phrase.encode(), salt=salt, n=SCRYPT_N, r=SCRYPT_R, p=SCRYPT_P, maxmem=_SCRYPT_MEMORY_BYTES, dklen=32
    )
