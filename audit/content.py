"""The record itself: a JSON object whose canonical bytes are the leaf of the log."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from audit.acts import Actor, Subject
from audit.models.records import ActorKind

FORMAT = "consilium/audit-record/v1"
ACTOR_FIELD = "actor"
SUBJECT_FIELD = "subject"


def actor_content(actor: Actor, commitments: Mapping[str, str]) -> dict[str, Any]:
    """Name the actor: a person by commitment, everybody else by id."""
    organization = str(actor.organization_id) if actor.organization_id else None
    return {"kind": str(actor.kind), "organization": organization} | _named(ACTOR_FIELD, actor.id, commitments)


def subject_content(subject: Subject, commitments: Mapping[str, str]) -> dict[str, Any]:
    """Name the subject: a person by commitment, everything else by id."""
    return {"kind": subject.kind} | _named(SUBJECT_FIELD, subject.id, commitments)


def written_time(moment: datetime) -> str:
    """Return the time as RFC 3339 in UTC with microseconds."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def columns_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the columns of a record's row must say; KeyError, TypeError or ValueError if it is no record."""
    actor, subject = content["actor"], content["subject"]
    return {
        "id": UUID(content["id"]),
        "action": content["action"],
        "outcome": content["outcome"],
        "error_code": content.get("error", ""),
        "actor_kind": ActorKind(actor["kind"]),
        "actor": actor.get("commitment") or actor["id"],
        "actor_organization_id": UUID(actor["organization"]) if actor["organization"] else None,
        "subject_kind": subject["kind"],
        "subject_id": subject.get("commitment") or subject["id"],
        "recorded_at": datetime.fromisoformat(content["recorded_at"]),
        "correlation_id": content["correlation_id"],
        "body": content["data"],
    }


def commitments_of(content: Mapping[str, Any]) -> dict[str, str]:
    """Return every commitment in a record by the name of its personal field."""
    found = dict(content["personal"])
    for name in (ACTOR_FIELD, SUBJECT_FIELD):
        if "commitment" in content[name]:
            found[name] = content[name]["commitment"]
    return found


def _named(field: str, identifier: str, commitments: Mapping[str, str]) -> dict[str, str]:
    return {"commitment": commitments[field]} if field in commitments else {"id": identifier}
