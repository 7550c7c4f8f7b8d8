"""Making a bundle: claimed by one worker at a time, fixed by its first try, recorded once when it is there."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from audit.acts import Actor, Subject
from audit.bundles import storage
from audit.bundles.archive import sealed
from audit.bundles.chain_facts import chain_facts
from audit.bundles.contents import files_of
from audit.bundles.facts import evidence_of
from audit.bundles.selection import Selection, last_block_read, log_of, newest_checkpoint, select
from audit.compliance.documents import FORMAT
from audit.compliance.registry import make_report
from audit.log.keys import signer_of
from audit.models import Bundle
from audit.recorder import record
from consortium.common.correlation import set_correlation_id
from consortium.common.tenancy import act_for
from consortium.kernel.digests import sha256_digest
from consortium.kernel.errors import ConsiliumError
from contracts.reading.evidence import EvidenceGateway, evidence_from_settings

logger = logging.getLogger(__name__)

# A builder says that it is at it with every step; the longest step of the largest log takes a few seconds.
TAKE_OVER = timedelta(seconds=60)
MAX_ATTEMPTS = 5
ACTION = "audit.bundle.export"


def build_bundle(
    *,
    bundle_id: UUID,
    organization_id: UUID | None,
    person_id: UUID | None = None,
    chain: EvidenceGateway | None = None,
) -> None:
    """Make one bundle, unless another worker is at it or it is made. What went wrong stands in its row.

    An auditor's bundle is made as that person, and stays as it is once their appointment has ended.
    A fault that may pass leaves it waiting, for the sweep; others, and the last of several, end it.
    """
    bundle = _claim(bundle_id, organization_id, person_id)
    if bundle is None:
        return
    set_correlation_id(bundle.correlation_id)
    try:
        _build(bundle, chain or evidence_from_settings())
    except ConsiliumError as error:
        logger.warning("Bundle %s: %s", bundle.pk, error.message)
        _put_down(bundle, error.code, error.message, may_pass=error.retryable)
    except Exception:
        _put_down(bundle, "internal", "Something failed here. The operator's log says what.", may_pass=False)
        raise


def _claim(bundle_id: UUID, organization_id: UUID | None, person_id: UUID | None) -> Bundle | None:
    now = timezone.now()
    free = Q(state=Bundle.State.REQUESTED) | Q(state=Bundle.State.BUILDING, tried_at__lt=now - TAKE_OVER)
    with transaction.atomic(), act_for(organization_id=organization_id, person_id=person_id):
        changes = {"state": Bundle.State.BUILDING, "tried_at": now, "attempts": F("attempts") + 1}
        if not Bundle.objects.filter(free, pk=bundle_id).update(**changes):
            return None
        return Bundle.objects.get(pk=bundle_id)


def _build(bundle: Bundle, chain: EvidenceGateway) -> None:
    with _at(bundle, Bundle.Step.SELECTING, 10):
        _pin(bundle)
    with _at(bundle, Bundle.Step.SELECTING, 20):
        selection = _select(bundle)
        facts = chain_facts(bundle.consortium_id, chain)
        signer = signer_of(selection.log)
    with _at(bundle, Bundle.Step.REPORTING, 50):
        report = _report(bundle, selection, str(signer.key))
    with _at(bundle, Bundle.Step.ASSEMBLING, 70):
        files = files_of(selection, report=report, chain=chain)
    data = sealed(
        files,
        consortium_id=bundle.consortium_id,
        exported_at=bundle.created_at,
        signer=signer,
        log_id=selection.log.name_on_chain,
        chain=facts,
    )
    storage.keep(bundle.pk, data)
    _finish(bundle, data)


@contextmanager
def _at(bundle: Bundle, step: Bundle.Step, percent: int) -> Iterator[None]:
    """Tell how far it has come, then run a step as the bundle's organization in one transaction."""
    with transaction.atomic(), _acting(bundle):
        building = Bundle.objects.filter(pk=bundle.pk, state=Bundle.State.BUILDING)
        building.update(step=step, progress=percent, tried_at=timezone.now())
    with transaction.atomic(), _acting(bundle):
        yield


@contextmanager
def _acting(bundle: Bundle) -> Iterator[None]:
    with act_for(organization_id=bundle.organization_id, person_id=bundle.person_id):
        yield


def _pin(bundle: Bundle) -> None:
    """Fix what the bundle speaks of: whoever tries again speaks of the same."""
    if bundle.checkpoint_id is not None:
        return
    bundle.checkpoint = newest_checkpoint(log_of(bundle.consortium_id))
    bundle.through_block = last_block_read(bundle.consortium_id)
    bundle.save(update_fields=["checkpoint", "through_block"])


def _select(bundle: Bundle) -> Selection:
    if bundle.checkpoint is None or bundle.through_block is None:
        raise RuntimeError("A bundle is selected after it was pinned.")
    return select(log_of(bundle.consortium_id), last=bundle.checkpoint, through_block=bundle.through_block)


def _report(bundle: Bundle, selection: Selection, log_key: str) -> dict[str, Any]:
    """Make the report once: what it reads beside the log changes from minute to minute.

    One that an earlier release of this program began is made anew, in the form that this one prints.
    """
    if bundle.document is None or bundle.document["format"] != FORMAT:
        bundle.document = make_report(bundle.report, evidence_of(bundle, selection, log_key=log_key))
        bundle.save(update_fields=["document"])
    return dict(bundle.document)


def _finish(bundle: Bundle, data: bytes) -> None:
    """Mark the bundle ready and record the export, once: a builder that was overtaken finds it done."""
    digest = sha256_digest(data)
    with transaction.atomic(), _acting(bundle):
        building = Bundle.objects.filter(pk=bundle.pk, state=Bundle.State.BUILDING)
        done = building.update(
            state=Bundle.State.READY,
            step=Bundle.Step.DONE,
            progress=100,
            digest=digest,
            size_bytes=len(data),
            ready_at=timezone.now(),
            error_code="",
            error_text="",
        )
        if not done:
            return
        record(
            action=ACTION,
            organization_id=None,
            consortium_id=bundle.consortium_id,
            actor=Actor.person(bundle.person_id, bundle.organization_id),
            subject=Subject("bundle", str(bundle.pk)),
            data={"digest": digest, "size": len(data), "report": bundle.report} | _about(bundle),
        )


def _about(bundle: Bundle) -> dict[str, str]:
    """What the report speaks of, as its record names it: first and last day, and the model."""
    found = {"since": bundle.period_from, "until": bundle.period_until}
    days = {name: f"{day.isoformat()}T00:00:00Z" for name, day in found.items() if day is not None}
    return days | ({"model": str(bundle.model_id)} if bundle.model_id else {})


def _put_down(bundle: Bundle, code: str, text: str, *, may_pass: bool) -> None:
    again = may_pass and bundle.attempts < MAX_ATTEMPTS
    with transaction.atomic(), _acting(bundle):
        Bundle.objects.filter(pk=bundle.pk, state=Bundle.State.BUILDING).update(
            state=Bundle.State.REQUESTED if again else Bundle.State.FAILED,
            step=Bundle.Step.WAITING,
            error_code=code,
            error_text=text[:500],
            tried_at=timezone.now(),
        )
