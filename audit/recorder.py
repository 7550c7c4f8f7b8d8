"""The one way into a log: an act is recorded in the transaction that does it, or not at all."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from django.db import connection
from django.utils import timezone

from audit.actions import PERSONAL_SUBJECTS, Action, action_of
from audit.acts import MAX_PERSONAL_BYTES, Actor, Subject, require_name
from audit.commitments import commitment, new_salt
from audit.content import (
    ACTOR_FIELD,
    FORMAT,
    SUBJECT_FIELD,
    actor_content,
    columns_of,
    subject_content,
    written_time,
)
from audit.errors import InvalidRecordError
from audit.models import AuditLog, AuditRecord, PersonalField, RecordKey
from audit.models.records import ActorKind, Outcome
from consortium.common.bulk import insert_many
from consortium.common.correlation import correlation_id
from consortium.common.gathering import finish_now, gathered
from consortium.common.tenancy import NoTransactionError
from consortium.kernel.canonical import canonical_json
from consortium.kernel.digests import sha256_digest

NOTHING: Mapping[str, Any] = MappingProxyType({})


def record(
    *,
    action: str,
    organization_id: uuid.UUID | None,
    consortium_id: uuid.UUID | None,
    actor: Actor,
    subject: Subject,
    data: Mapping[str, Any] = NOTHING,
    personal: Mapping[str, str] = NOTHING,
    outcome: Outcome = Outcome.SUCCEEDED,
    error_code: str = "",
) -> AuditRecord:
    """Record one act in one log: an organization's or a consortium's.

    `data` holds the fields that the action declares and no person's data; what tells of a person goes into
    `personal`, of which the record holds salted commitments only.

    Raises
    ------
    NoTransactionError
        Outside `transaction.atomic`: a record stands or falls with its act.
    UnknownActionError, InvalidRecordError
        If the act is not one of `audit.actions`, or does not fit it; nothing is written then.
    NotFoundError
        If the acting organization may not write into that log.
    """
    if not connection.in_atomic_block:
        raise NoTransactionError("Open a transaction first: a record stands or falls with the act it tells of.")
    finish_now(_Gathered)
    declared = action_of(action)
    _require_fit(declared, organization_id, consortium_id, subject)
    _require_outcome(outcome, error_code)
    _require_data(declared, data, complete=outcome == Outcome.SUCCEEDED)
    hidden = _hidden(actor, subject, personal)
    log = AuditLog.objects.of(organization_id=organization_id, consortium_id=consortium_id)
    salts = {name: new_salt() for name in hidden}
    commitments = {name: commitment(salt=salts[name], name=name, value=hidden[name]) for name in hidden}
    content = _content(log, action, actor, subject, data, commitments, correlation_id()) | {
        "outcome": str(outcome),
        "personal": {name: commitments[name] for name in personal},
        **({"error": error_code} if error_code else {}),
    }
    row = _row(log, content)
    row.save(force_insert=True)
    _keep_personal(row, actor.organization_id or organization_id, hidden, salts)
    return row


def record_once(
    key: str,
    *,
    action: str,
    consortium_id: uuid.UUID,
    actor: Actor,
    subject: Subject,
    data: Mapping[str, Any] = NOTHING,
) -> AuditRecord | None:
    """Record an act in a consortium's log, as the system, unless this action is recorded there under `key`.

    What is read from the chain may be read again: the key is the event's or the decision's own. Returns None, and
    writes nothing, where the record stands. Raises as `record` does. Within `gathering` all that is so recorded, or by
    `record_each_once`, is written at its end, or before the next `record`; None is returned then.
    """
    act = Act(key, action, subject, data, correlation_id())
    return next(iter(record_each_once([act], consortium_id=consortium_id, actor=actor)), None)


@dataclass(frozen=True)
class Act:
    """An act of the system that is recorded in a consortium's log once; `key` and `data` as in `record_once`."""

    key: str
    action: str
    subject: Subject
    data: Mapping[str, Any]
    correlation_id: str | None

    @property
    def full_key(self) -> str:
        return f"{self.action}:{self.key}"


def record_each_once(acts: Sequence[Act], *, consortium_id: uuid.UUID, actor: Actor) -> list[AuditRecord]:
    """Record acts in their order, as `record_once` does one, with as many statements for all; return the new ones.

    Raises as `record` does; nothing is written then.
    """
    if not connection.in_atomic_block:
        raise NoTransactionError("Open a transaction first: a record stands or falls with the act it tells of.")
    if (later := gathered(_Gathered)) is not None:
        later.acts.setdefault((consortium_id, actor), []).extend(acts)
        return []
    return _write_once(acts, consortium_id, actor)


@dataclass
class _Gathered:
    """Acts of one `gathering`, by log and actor."""

    acts: dict[tuple[uuid.UUID, Actor], list[Act]] = field(default_factory=dict)

    def finish(self) -> None:
        for (consortium_id, actor), acts in self.acts.items():
            _write_once(acts, consortium_id, actor)


def _write_once(acts: Sequence[Act], consortium_id: uuid.UUID, actor: Actor) -> list[AuditRecord]:
    if not acts:
        return []
    log = AuditLog.objects.of(consortium_id=consortium_id)
    wanted = {act.full_key: act for act in reversed(acts)}
    known = set(RecordKey.objects.filter(log=log, key__in=list(wanted)).values_list("key", flat=True))
    new = [act for act in acts if wanted[act.full_key] is act and act.full_key not in known]
    rows = [_row(log, _content_of(act, log, consortium_id, actor)) for act in new]
    insert_many(rows)
    insert_many([RecordKey(log=log, key=act.full_key, record=row) for act, row in zip(new, rows, strict=True)])
    return rows


def _content_of(act: Act, log: AuditLog, consortium_id: uuid.UUID, actor: Actor) -> dict[str, Any]:
    declared = action_of(act.action)
    _require_fit(declared, None, consortium_id, act.subject)
    _require_data(declared, act.data, complete=True)
    if _hidden(actor, act.subject, NOTHING):
        raise InvalidRecordError(f"{act.action} tells of a person. Record it by itself, with `record`.")
    return _content(log, act.action, actor, act.subject, act.data, NOTHING, act.correlation_id or str(uuid.uuid4()))


def _content(
    log: AuditLog,
    action: str,
    actor: Actor,
    subject: Subject,
    data: Mapping[str, Any],
    commitments: Mapping[str, str],
    correlation: str,
) -> dict[str, Any]:
    """The record of an act that succeeded."""
    return {
        "format": FORMAT,
        "id": str(uuid.uuid4()),
        "log": log.origin,
        "action": action,
        "outcome": str(Outcome.SUCCEEDED),
        "actor": actor_content(actor, commitments),
        "subject": subject_content(subject, commitments),
        "recorded_at": written_time(timezone.now()),
        "correlation_id": correlation,
        "data": dict(data),
        "personal": {},
    }


def _row(log: AuditLog, content: Mapping[str, Any]) -> AuditRecord:
    canonical = canonical_json(content)
    return AuditRecord(log=log, canonical=canonical, digest=sha256_digest(canonical), **columns_of(content))


def _keep_personal(
    row: AuditRecord, owner: uuid.UUID | None, hidden: Mapping[str, str], salts: Mapping[str, bytes]
) -> None:
    if hidden:
        PersonalField.objects.bulk_create(
            PersonalField(record=row, organization_id=owner, name=name, salt=salts[name], value=value)
            for name, value in hidden.items()
        )


def _hidden(actor: Actor, subject: Subject, personal: Mapping[str, str]) -> dict[str, str]:
    """Return everything that the record may only commit to, by name."""
    hidden = {require_name(name, "name of a personal field"): value for name, value in personal.items()}
    if {ACTOR_FIELD, SUBJECT_FIELD} & hidden.keys():
        raise InvalidRecordError("The personal fields `actor` and `subject` are the recorder's own. Rename yours.")
    if any(len(value.encode()) > MAX_PERSONAL_BYTES for value in hidden.values()):
        raise InvalidRecordError(f"A personal field has at most {MAX_PERSONAL_BYTES} bytes. Shorten it.")
    if actor.kind == ActorKind.PERSON:
        hidden[ACTOR_FIELD] = actor.id
    if subject.kind in PERSONAL_SUBJECTS:
        hidden[SUBJECT_FIELD] = subject.id
    return hidden


def _require_fit(
    action: Action, organization_id: uuid.UUID | None, consortium_id: uuid.UUID | None, subject: Subject
) -> None:
    if (organization_id is None) == (consortium_id is None):
        raise InvalidRecordError("An act lies in exactly one log: name an organization or a consortium.")
    kind = AuditLog.Kind.CONSORTIUM if organization_id is None else AuditLog.Kind.ORGANIZATION
    if action.log not in (None, kind):
        raise InvalidRecordError(f"{action.name} lies in the log of the {action.log}, not of the {kind}.")
    if subject.kind != action.subject:
        raise InvalidRecordError(f"{action.name} is about a {action.subject}, not about a {subject.kind}.")


def _require_outcome(outcome: Outcome, error_code: str) -> None:
    if (outcome == Outcome.REFUSED) != bool(error_code):
        raise InvalidRecordError("A refused attempt names its error's code, and a success has none.")


def _require_data(action: Action, data: Mapping[str, Any], *, complete: bool) -> None:
    """Hold the data to the action's fields; a refused attempt may lack some, but has no other ones."""
    if unknown := data.keys() - action.fields.keys():
        raise InvalidRecordError(f"{action.name} has no field {', '.join(sorted(unknown))}. See audit/actions.py.")
    for name, kind in action.fields.items():
        if name not in data:
            if kind.required and complete:
                raise InvalidRecordError(f"{action.name} needs the field {name} ({kind.name}).")
        elif not kind.accepts(data[name]):
            raise InvalidRecordError(f"The field {name} of {action.name} must be a {kind.name}.")
