"""The trust file of a consortium (`verifier/FORMAT.md` section 8), as this deployment knows it.

Whoever judges this deployment's bundles gets the file from another member, never from here: a deployment that lies
in a bundle lies in its trust file too. It is exported so that members can compare it and hand it on.
"""

from typing import Any
from uuid import UUID

from audit.bundles.chain_facts import chain_facts
from audit.bundles.selection import log_of, newest_checkpoint
from audit.log.anchors import CONTRACT, EVENT
from audit.log.keys import published_key
from audit.log.quorums import witness_quorum
from consortium.kernel.identifiers import to_hex, uuid_to_bytes32
from consortium.membership.models import Membership, OrganizationKey
from contracts.models import ChainEventRecord
from contracts.reading.evidence import EvidenceGateway, evidence_from_settings
from contracts.reading.proof_keeping import genesis_source
from contracts.reading.validator_sets import DIGEST_SLOT

FORMAT = "consilium-trust/1"


def export_trust(consortium_id: UUID, *, chain: EvidenceGateway | None = None) -> dict[str, Any]:
    """Return the trust file: chain, contracts, the log's key, the members' keys, the number of witnesses.

    Raises
    ------
    NothingToExportError
        If the consortium has no log yet, or nothing of it is signed.
    ChainError
        If the node does not answer.
    """
    log = log_of(consortium_id)
    facts = chain_facts(consortium_id, chain or evidence_from_settings())
    key = published_key(newest_checkpoint(log))
    organizations = _organizations(consortium_id)
    quorum = witness_quorum(consortium_id)
    return {
        "format": FORMAT,
        "chain": {
            **{"chain_id": facts.chain_id, "genesis": to_hex(facts.genesis)},
            **_pinned(consortium_id),
            **_validators(consortium_id, facts.kind),
        },
        "contracts": dict(facts.contracts),
        "log": {"origin": log.origin, "key": str(key), "id": to_hex(log.name_on_chain)},
        "organizations": organizations,
    } | ({"witness_quorum": quorum} if quorum is not None and quorum <= len(organizations) else {})


def _pinned(consortium_id: UUID) -> dict[str, Any]:
    """Pin the block of the last anchor: a chain that was rewritten has another one there."""
    anchored = ChainEventRecord.objects.filter(consortium_id=consortium_id, contract=CONTRACT, name=EVENT)
    last = anchored.order_by("block_number", "log_index").last()
    return {} if last is None else {"checkpoint": {"height": last.block_number, "hash": last.block_hash}}


def _validators(consortium_id: UUID, kind: str) -> dict[str, Any]:
    """Name the contract that QBFT asks for its validators: who holds this file then asks bundles for seals."""
    source = genesis_source(consortium_id)
    if kind != "qbft" or source is None:
        return {}
    return {"validators": {"address": source.address.lower(), "slot": DIGEST_SLOT}}


def _organizations(consortium_id: UUID) -> dict[str, dict[str, str]]:
    """Return all that ever were members, by their ids on the chain: earlier anchors bear their signatures."""
    members = Membership.objects.filter(consortium_id=consortium_id).exclude(status=Membership.Status.APPLICANT)
    known = OrganizationKey.objects.filter(membership__in=members, retired_at_block__isnull=True)
    keys: dict[UUID, dict[str, str]] = {}
    for key in known:
        keys.setdefault(key.membership_id, {})[key.purpose] = key.address.lower()
    return {
        to_hex(uuid_to_bytes32(member.organization_id)): {"name": member.organization.name, **keys.get(member.pk, {})}
        for member in members.select_related("organization").order_by("organization_id")
    }
