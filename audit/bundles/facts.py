"""From a selection to what reports are made from."""

from datetime import UTC, datetime

from audit.bundles.archive import written_second
from audit.bundles.selection import Anchored, Selection, witness_ids
from audit.compliance.evidence import AnchorFacts, Evidence, LogFacts
from audit.compliance.sources import consent_facts, organization_names, reviewers
from audit.log.quorums import witness_quorum
from audit.models import Bundle
from consortium.kernel.identifiers import to_hex
from consortium.membership.access import access_consortium


def evidence_of(bundle: Bundle, selection: Selection, *, log_key: str) -> Evidence:
    """Return what the bundle's organization may see; the database's policies bound it."""
    return Evidence(
        consortium=str(bundle.consortium_id),
        consortium_name=access_consortium(bundle.consortium_id).name,
        exporter=str(bundle.organization_id),
        as_of=written_second(bundle.created_at),
        organizations=organization_names(bundle.consortium_id),
        log=LogFacts(
            origin=selection.log.origin,
            key=log_key,
            size=selection.last.size,
            root=to_hex(bytes(selection.last.root)),
            checkpoints=len(selection.checkpoints),
            quorum=witness_quorum(bundle.consortium_id),
        ),
        records=selection.records(),
        anchors=[_anchor(anchor) for anchor in selection.anchors],
        reviewers=reviewers(bundle.organization_id),
        consents=consent_facts(consortium_id=bundle.consortium_id, organization_id=bundle.organization_id),
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
