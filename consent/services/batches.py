"""Taking batches of consents from a site: signed, in order, without personal data; whole or not at all."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.models import Max, Q
from django.utils.translation import gettext as _

from audit.acts import Actor, Subject
from audit.models.records import Outcome
from audit.recorder import record
from consent.domain.documents import Batch, read_batch
from consent.errors import BatchOutOfOrderError, BatchRefusedError
from consent.fhir.errors import ConsentElementError, ElementProblem
from consent.fhir.reader import ParsedConsent, parse_consent
from consent.fhir.stripping import as_problems, find_personal_data
from consent.models import ConsentBatch, Grant
from consent.services.rules import refresh_rules
from consent.services.site_keys import require_document_signature
from consortium.kernel.digests import digest_of
from consortium.kernel.errors import InvalidInputError
from consortium.membership.access import access_consortium

# Enough to mend a file by; a batch of nothing but faults need not fill the database.
MAX_PROBLEMS = 100


@transaction.atomic
def accept_batch(
    *, document: Mapping[str, Any], digest: str, signature: str, organization_id: UUID, actor: Actor
) -> ConsentBatch:
    """Take a batch, or nothing of it. The batch that was taken last is welcome again, byte for byte.

    Raises
    ------
    InvalidInputError, InvalidSignatureError
        If it is malformed, of another organization, or not signed by the organization's present site key.
    BatchOutOfOrderError
        If its number is not the next one.
    BatchRefusedError
        If a consent carries personal data, is not one, or was recorded before: naming line and element.
    """
    batch = read_batch(document)
    if batch.organization != organization_id or digest_of(dict(document)) != digest:
        raise InvalidInputError(_("The batch is another organization's, or its digest is not that of its content."))
    access_consortium(batch.consortium)
    require_document_signature(document, signature, organization_id=organization_id, consortium_id=batch.consortium)
    if (known := _known(batch, digest)) is not None:
        return known
    parsed = _read_entries(batch)
    row = ConsentBatch.objects.create(
        **_owner(batch),
        sequence=batch.sequence,
        digest=digest,
        signature=signature,
        state=ConsentBatch.State.ACCEPTED,
        accepted=len(parsed),
        refused=batch.refused,
    )
    Grant.objects.bulk_create(_grant(row, consent) for consent in parsed)
    refresh_rules(**_owner(batch), pseudonyms={consent.subject for consent in parsed})
    _record(row, actor, {"digest": digest, "accepted": len(parsed), "refused": batch.refused})
    return row


@transaction.atomic
def note_refusal(
    *, document: Mapping[str, Any], digest: str, organization_id: UUID, error: InvalidInputError, actor: Actor
) -> ConsentBatch:
    """Keep that a batch was refused and why, for the organization's own eyes; nothing of its content is kept."""
    try:
        batch = read_batch(document)
    except InvalidInputError:
        raise error from None
    access_consortium(batch.consortium)
    problems = error.problems if isinstance(error, BatchRefusedError) else []
    row = ConsentBatch.objects.create(
        consortium_id=batch.consortium,
        organization_id=organization_id,
        sequence=batch.sequence,
        digest=digest,
        state=ConsentBatch.State.REFUSED,
        refused=len(batch.entries),
        error_code=error.code,
        errors=problems[:MAX_PROBLEMS],
    )
    _record(row, actor, {"digest": digest, "accepted": 0}, error_code=error.code)
    return row


def _owner(batch: Batch) -> dict[str, UUID]:
    return {"consortium_id": batch.consortium, "organization_id": batch.organization}


def _known(batch: Batch, digest: str) -> ConsentBatch | None:
    """Return the batch if it was taken before; hold a new one to its number, one site's batches one after another."""
    with connection.cursor() as cursor:
        name = f"consent.batch:{batch.consortium}:{batch.organization}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [name])
    numbered = ConsentBatch.objects.filter(**_owner(batch)).filter(
        # A batch that was signed and due uses its number up, also if its content was refused.
        Q(state=ConsentBatch.State.ACCEPTED) | Q(error_code=BatchRefusedError.code)
    )
    same = numbered.filter(sequence=batch.sequence, state=ConsentBatch.State.ACCEPTED).first()
    if same is not None and same.digest == digest:
        return same
    expected = (numbered.aggregate(last=Max("sequence"))["last"] or 0) + 1
    if batch.sequence != expected:
        raise BatchOutOfOrderError(
            _("This is batch %(given)s, and batch %(expected)s is due. Send the batches in their order.")
            % {"given": batch.sequence, "expected": expected},
            expected=expected,
        )
    return None


def _read_entries(batch: Batch) -> list[ParsedConsent]:
    problems = list(_personal_data(batch))
    if problems:
        raise BatchRefusedError(
            _("The batch carries personal data. Line %(line)s: %(element)s %(reason)s. Nothing of it was kept.")
            % {"line": problems[0][0], "element": problems[0][1].path, "reason": problems[0][1].reason},
            problems,
        )
    parsed, seen = [], set(_recorded_ids(batch))
    for entry in batch.entries:
        try:
            consent = parse_consent(entry.resource)
        except ConsentElementError as error:
            problems.append((entry.line, error.problem))
            continue
        if consent.grant.id in seen:
            problems.append((entry.line, ElementProblem("Consent.id", "is the id of a consent recorded before")))
        seen.add(consent.grant.id)
        parsed.append(consent)
    if problems:
        raise BatchRefusedError(
            _("Line %(line)s: %(element)s %(reason)s. Nothing of the batch was kept.")
            % {"line": problems[0][0], "element": problems[0][1].path, "reason": problems[0][1].reason},
            problems,
        )
    return parsed


def _personal_data(batch: Batch) -> Iterator[tuple[int, ElementProblem]]:
    for entry in batch.entries:
        for problem in as_problems(find_personal_data(entry.resource)):
            yield entry.line, problem


def _recorded_ids(batch: Batch) -> Iterator[str]:
    ids = [entry.resource.get("id", "") for entry in batch.entries]
    yield from Grant.objects.filter(**_owner(batch), consent_id__in=ids).values_list("consent_id", flat=True)


def _grant(row: ConsentBatch, consent: ParsedConsent) -> Grant:
    return Grant(
        consortium_id=row.consortium_id,
        organization_id=row.organization_id,
        batch=row,
        consent_id=consent.grant.id,
        pseudonym=consent.subject,
        state=consent.grant.state.value,
        recorded_at=consent.grant.recorded_at,
        resource=dict(consent.resource),
    )


def _record(row: ConsentBatch, actor: Actor, data: Mapping[str, Any], *, error_code: str = "") -> None:
    record(
        action="consent.batch.import",
        organization_id=row.organization_id,
        consortium_id=None,
        actor=actor,
        subject=Subject("batch", str(row.pk)),
        data=data,
        outcome=Outcome.REFUSED if error_code else Outcome.SUCCEEDED,
        error_code=error_code,
    )
