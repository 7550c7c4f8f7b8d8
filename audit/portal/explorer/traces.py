"""One correlation id followed: records, transactions, events, proposals, bundles and the answers of sites."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _

from audit.log.states import with_state
from audit.models import AuditRecord, Bundle
from audit.portal.explorer.lines import lines_of
from consortium.governance.models import Ballot, Proposal
from consortium.kernel.digests import digest_of
from consortium.membership.models import Organization
from contracts.models import ChainEventRecord, OutboxTransaction
from training.models import SitePart

MOST = 300
PLATFORM, CHAIN, SITE = "platform", "chain", "site"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: when, where (platform, chain or site), in words, and where it is proven."""

    at: datetime
    where: str
    by: str
    words: str
    note: str = ""
    state: str = ""
    url: str = ""
    digest: str = ""


def trace_of(correlation: str, *, with_records: bool) -> list[Step]:
    """Return what carries the id, oldest first; only what the reader's policies show, records for their readers."""
    records = list(_records(correlation))
    transactions = list(OutboxTransaction.objects.filter(correlation_id=correlation).order_by("position")[:MOST])
    steps = [
        *(_of_records(records) if with_records else ()),
        *_of_transactions(transactions),
        *_of_events(transactions),
        *_of_bundles(correlation),
        *_of_proposals(records),
        *_of_sites(records),
    ]
    return sorted(steps, key=lambda step: step.at)


def _records(correlation: str) -> Iterable[AuditRecord]:
    rows = AuditRecord.objects.filter(correlation_id=correlation).defer("canonical")
    return with_state(rows).order_by("recorded_at", "pk")[:MOST]


def _of_records(records: list[AuditRecord]) -> Iterable[Step]:
    for line in lines_of(records):
        note = _("Refused: %(error)s") % {"error": line.error} if line.is_refused else line.action
        yield Step(line.at, PLATFORM, line.by, line.words, note, line.state, reverse("record", args=[line.id]))


def _of_transactions(transactions: list[OutboxTransaction]) -> Iterable[Step]:
    for row in transactions:
        words = _("Asked the chain: %(contract)s.%(function)s") % {"contract": row.contract, "function": row.function}
        note = row.error_text or row.error_code
        yield Step(row.created_at, CHAIN, _("Dispatcher"), words, note, row.state, digest=row.transaction_hash)


def _of_events(transactions: list[OutboxTransaction]) -> Iterable[Step]:
    hashes = [row.transaction_hash for row in transactions if row.transaction_hash]
    for event in ChainEventRecord.objects.filter(transaction_hash__in=hashes)[:MOST] if hashes else ():
        words = _("All members hold: %(name)s") % {"name": event.name}
        note = _("%(contract)s, block %(block)s") % {"contract": event.contract, "block": f"{event.block_number:,}"}
        at = datetime.fromtimestamp(event.block_time, UTC)
        yield Step(at, CHAIN, _("All members"), words, note, "confirmed", digest=event.transaction_hash)


def _of_bundles(correlation: str) -> Iterable[Step]:
    for bundle in Bundle.objects.filter(correlation_id=correlation):
        words = _("An evidence bundle was asked for")
        yield Step(
            bundle.created_at, PLATFORM, _("Platform"), words, url=reverse("bundles"), digest=bundle.digest or ""
        )


def _of_proposals(records: list[AuditRecord]) -> Iterable[Step]:
    """What the records' proposals are, with the ballots whose records carry the id."""
    wanted = {row.subject_id for row in records if row.subject_kind == "proposal"}
    for proposal in Proposal.objects.filter(pk__in=_uuids(wanted)).select_related("organization"):
        url = reverse("proposal", args=[proposal.pk])
        words = proposal.description or proposal.kind
        yield Step(proposal.created_at, PLATFORM, proposal.organization.name, words, _("Proposal"), url=url)
    relayed = {
        (row.subject_id, str(row.body.get("organization")))
        for row in records
        if row.action.startswith("governance.ballot.")
    }
    for ballot in Ballot.objects.filter(proposal_id__in=_uuids(wanted)).select_related("organization"):
        if (str(ballot.proposal_id), str(ballot.organization_id)) in relayed:
            words = _("Signed its ballot: %(choice)s") % {"choice": ballot.get_choice_display()}
            by = ballot.organization.name
            yield Step(ballot.created_at, SITE, by, words, state=ballot.chain_state, digest=ballot.transaction_hash)


def _of_sites(records: list[AuditRecord]) -> Iterable[Step]:
    """The signed answers of sites in the rounds that the records tell of; what a site logged lies at the site."""
    rounds = {
        (row.subject_id, row.body["round"], row.body["attempt"])
        for row in records
        if row.subject_kind == "run" and {"round", "attempt"} <= row.body.keys()
    }
    runs = _uuids({run for run, _round, _attempt in rounds})
    parts = SitePart.objects.filter(attempt__run_id__in=runs).select_related("attempt__round") if runs else []
    names = dict(Organization.objects.values_list("pk", "name")) if runs else {}
    for part in parts:
        place = (str(part.attempt.run_id), part.attempt.round.number, part.attempt.number)
        if place in rounds:
            yield from _answers(part, names.get(part.organization_id, _("A former member")))


def _answers(part: SitePart, name: str) -> Iterable[Step]:
    attempt, url = part.attempt, reverse("run", args=[part.attempt.run_id])
    place = _("round %(n)d, attempt %(a)d") % {"n": attempt.round.number, "a": attempt.number}
    signed = (
        (part.commitment, _("Committed to its cohort"), attempt.committed_at or attempt.announced_at),
        (part.deal, _("Dealt its secret shares"), attempt.dealt_at),
    )
    for document, words, at in signed:
        if document and at:
            yield Step(at, SITE, name, words, place, url=url, digest=digest_of(document))
    if part.vector and attempt.collected_at:
        yield Step(attempt.collected_at, SITE, name, _("Sent its masked update"), place, url=url, digest=part.vector)
    if part.result_signature and attempt.verified_at:
        yield Step(attempt.verified_at, SITE, name, _("Computed the result again and signed it"), place, url=url)


def _uuids(texts: Iterable[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
