"""Who did what to what: the three values that every record names."""

import re
from dataclasses import dataclass
from uuid import UUID

from audit.errors import InvalidRecordError
from audit.models.records import ActorKind

MAX_PERSONAL_BYTES = 4096
_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_IDENTIFIER = re.compile(r"[!-~]{1,80}")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a person (by user id), an organization's agent (by its key), or a part of the system (by name)."""

    kind: ActorKind
    id: str
    organization_id: UUID | None = None

    def __post_init__(self) -> None:
        require_identifier(self.id, "actor")

    @classmethod
    def person(cls, person_id: UUID, organization_id: UUID | None) -> "Actor":
        return cls(ActorKind.PERSON, str(person_id), organization_id)

    @classmethod
    def agent(cls, key: str, organization_id: UUID) -> "Actor":
        return cls(ActorKind.AGENT, key, organization_id)

    @classmethod
    def system(cls, part: str) -> "Actor":
        return cls(ActorKind.SYSTEM, part)


@dataclass(frozen=True, slots=True)
class Subject:
    """What the act is about. A person's id is given plain and goes into the record as a commitment."""

    kind: str
    id: str

    def __post_init__(self) -> None:
        require_name(self.kind, "subject's kind")
        require_identifier(self.id, "subject")


def require_name(text: str, what: str) -> str:
    if not _NAME.fullmatch(text):
        raise InvalidRecordError(f"The {what} must be lower-case letters, digits and underscores; at most 40.")
    return text


def require_identifier(text: str, what: str) -> str:
    if not _IDENTIFIER.fullmatch(text):
        raise InvalidRecordError(f"The {what} must be an identifier of 1 to 80 printable ASCII characters, no spaces.")
    return text
