"""From a selection to what reports are made from."""

from datetime import UTC, datetime
from typing import Any

from audit.bundles.archive import written_second
from audit.bundles.orders import period_of
from audit.bundles.selection import Anchored, Selection, witness_ids
from audit.compliance.evidence import AnchorFacts, Evidence, LogFacts
from audit.compliance.registry import report_named
from audit.compliance.sources.consents import batch_facts, consent_facts
from audit.compliance.sources.people import member_facts, reviewers
from audit.compliance.sources.predictions import prediction_facts
from audit.compliance.sources.protection import protection_facts
from audit.compliance.sources.training import model_facts, training_facts
from audit.compliance.training_facts import TrainingFacts
from audit.log.quorums import witness_quorum
from audit.models import Bundle
from consortium.kernel.identifiers import to_hex
from consortium.membership.access import access_consortium


def evidence_of(bundle: Bundle, selection: Selection, *, log_key: str) -> Evidence:
    """Return what the bundle's organization may see, or its auditor; the database's policies bound it."""
    consortium = access_consortium(bundle.consortium_id)
    members, period = member_facts(bundle.consortium_id), period_of(bundle, consortium)
    needs_training = report_named(bundle.report).needs_training
    training = training_facts(bundle.consortium_id) if needs_training else TrainingFacts()
    whose: dict[str, Any] = {"consortium_id": bundle.consortium_id, "organization_id": bundle.organization_id}
    return Evidence(
        consortium=str(bundle.consortium_id),
        consortium_name=consortium.name,
        exporter=str(bundle.organization_id or ""),
        as_of=written_second(bundle.created_at),
        organizations={member.organization: member.name for member in members},
        log=_log(selection, log_key, witness_quorum(bundle.consortium_id)),
        period=period,
        records=selection.records(),
        anchors=[_anchor(anchor) for anchor in selection.anchors],
        reviewers=reviewers(bundle.organization_id),
        consents=consent_facts(**whose, period=period),
        members=members,
        training=training,
        model=None if bundle.model_id is None else model_facts(bundle.model_id, training),
        predictions=prediction_facts(**whose, facts=training, period=period) if needs_training else [],
        batches=batch_facts(**whose),
        protection=protection_facts(consortium),
    )


def _log(selection: Selection, key: str, quorum: int | None) -> LogFacts:
    return LogFacts(
        origin=selection.log.origin,
        key=key,
        size=selection.last.size,
        root=to_hex(bytes(selection.last.root)),
        checkpoints=len(selection.checkpoints),
        quorum=quorum,
    )


def _anchor(anchor: Anchored) -> AnchorFacts:
    return AnchorFacts(
        size=anchor.checkpoint.size,
        root=to_hex(bytes(anchor.checkpoint.root)),
        block=anchor.event.block_number,
        block_time=written_second(datetime.fromtimestamp(anchor.event.block_time, UTC)),
        transaction=to_hex(anchor.event.transaction_hash),
        witnesses=witness_ids(anchor),
    )
