"""Is each record what was hashed, does its row repeat it truly, and do its personal fields open its commitments?"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from django.db import connection

from audit.commitments import commitment
from audit.content import columns_of, commitments_of
from audit.log.checks.findings import Finding
from audit.models import AuditLeaf, AuditLog, AuditRecord, PersonalField
from consortium.kernel.canonical import parse_canonical
from consortium.kernel.digests import sha256_digest
from consortium.kernel.errors import InvalidInputError

_MAX_RECORD_BYTES = 1024 * 1024

# Exactly one of the two holds for every record; one statement, so that a growing log is no finding.
_ASTRAY = """
SELECT record.id, leaf.index FROM audit_auditrecord AS record
  LEFT JOIN audit_auditleaf AS leaf ON leaf.record_id = record.id
  LEFT JOIN audit_pendingrecord AS pending ON pending.record_id = record.id
 WHERE record.log_id = %s AND (leaf.record_id IS NULL) = (pending.record_id IS NULL)
 ORDER BY leaf.index, record.recorded_at, record.id LIMIT 100
"""


def check_records(log: AuditLog, leaves: Iterable[AuditLeaf]) -> Iterator[Finding]:
    """Yield what contradicts the records of these leaves."""
    batch = list(leaves)
    fields: dict[Any, list[PersonalField]] = {}
    for field in PersonalField.objects.filter(record_id__in=[leaf.record_id for leaf in batch]):
        fields.setdefault(field.record_id, []).append(field)
    for leaf in batch:
        for text in _contradictions(log, leaf.record, fields.get(leaf.record_id, [])):
            yield Finding("record_altered", text, leaf.index, leaf.record_id)


def check_queue(log: AuditLog) -> Iterator[Finding]:
    """Yield the records that are neither in the tree nor waiting for it, or both."""
    with connection.cursor() as cursor:
        cursor.execute(_ASTRAY, [log.pk])
        rows = cursor.fetchall()
    for record, index in rows:
        if index is None:
            yield Finding("record_astray", f"Record {record} has no leaf and does not wait for one.", None, record)
        else:
            yield Finding("record_queued_twice", f"Record {record} has a leaf and waits for another.", index, record)


def _contradictions(log: AuditLog, row: AuditRecord, fields: Iterable[PersonalField]) -> Iterator[str]:
    canonical = bytes(row.canonical)
    if row.log_id != log.pk:
        yield f"Record {row.pk} belongs to another log."
    if row.digest != sha256_digest(canonical):
        yield f"Record {row.pk} does not have its digest."
    try:
        content = parse_canonical(canonical, max_bytes=_MAX_RECORD_BYTES)
        expected = columns_of(content)
        commitments = commitments_of(content)
        origin = content["log"]
    except (InvalidInputError, KeyError, TypeError, ValueError, AttributeError):
        yield f"The bytes of record {row.pk} are no record."
        return
    if origin != log.origin:
        yield f"Record {row.pk} was written for another log."
    yield from (f"Column {name} of record {row.pk} is not what was recorded." for name in _differing(row, expected))
    yield from (
        f"Personal field {field.name} of record {row.pk} does not open its commitment."
        for field in fields
        if not _opens(field, commitments)
    )


def _differing(row: AuditRecord, expected: Mapping[str, Any]) -> list[str]:
    return [name for name, value in expected.items() if getattr(row, name) != value]


def _opens(field: PersonalField, commitments: Mapping[str, str]) -> bool:
    return commitments.get(field.name) == commitment(salt=bytes(field.salt), name=field.name, value=field.value)
