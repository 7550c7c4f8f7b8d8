"""One correlation id followed: records, transactions, events, proposals, bundles and the answers of sites."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from audit.log.states import with_state
from audit.models import AuditRecord, Bundle
from audit.portal.explorer.lines import lines_of
from consortium.governance.models import Ballot, Proposal
from consortium.kernel.digests import digest_of
from consortium.membership.models import Organization
from contracts.models import ChainEventRecord, OutboxTransaction
from training.models import Attempt, SitePart

MOST = 300
PLATFORM, CHAIN, SITE = "platform", "chain", "site"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened: when, where (platform, chain or site), in words, and where it is proven.

    `parts` are what it consists of: names with their digests.
    """

    at: datetime
    where: str
    by: str
    words: str
    note: str = ""
    state: str = ""
    url: str = ""
    digest: str = ""
    parts: tuple[tuple[str, str], ...] = ()


def trace_of(correlation: str, *, with_records: bool) -> list[Step]:
    """Return what carries the id, oldest first; only what the reader's policies show, records for their readers."""
    records = list(_records(correlation))
    transactions = list(OutboxTransaction.objects.filter(correlation_id=correlation).order_by("position")[:MOST])
    steps = [
        *(_of_records(records) if with_records else ()),
        *_of_transactions(transactions),
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
    """The calls of the chain, each with the events that all members hold of it."""
    hashes = [row.transaction_hash for row in transactions if row.transaction_hash]
    events: dict[str, list[ChainEventRecord]] = {}
    for event in ChainEventRecord.objects.filter(transaction_hash__in=hashes)[:MOST] if hashes else ():
        events.setdefault(event.transaction_hash, []).append(event)
    for row in transactions:
        words = _("Asked the chain: %(contract)s.%(function)s") % {"contract": row.contract, "function": row.function}
        counted = Counter(event.name for event in events.get(row.transaction_hash, []))
        held = ", ".join(name if n == 1 else f"{n} {name}" for name, n in counted.items())
        at = _("block %(n)s") % {"n": f"{row.block:,}"} if row.block else ""
        note = row.error_text or row.error_code or (f"{held}, {at}" if held else at)
        yield Step(row.created_at, CHAIN, _("All members"), words, note, row.state, digest=row.transaction_hash)


def _of_bundles(correlation: str) -> Iterable[Step]:
    for bundle in Bundle.objects.filter(correlation_id=correlation):
        words = _("An evidence bundle was asked for")
        yield Step(
            bundle.created_at,
            PLATFORM,
            _("Platform"),
            words,
            url=reverse("report", args=[bundle.pk]),
            digest=bundle.digest or "",
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
    attempts = Attempt.objects.filter(run_id__in=runs).select_related("round").prefetch_related("parts") if runs else ()
    names = dict(Organization.objects.values_list("pk", "name")) if runs else {}
    for attempt in attempts:
        if (str(attempt.run_id), attempt.round.number, attempt.number) in rounds:
            yield from _answers(attempt, names)


def _answers(attempt: Attempt, names: dict[UUID, str]) -> Iterable[Step]:
    """What the sites of one attempt answered, a step for each kind of answer, with its digests by site."""
    url = reverse("run", args=[attempt.run_id])
    place = _("round %(n)d, attempt %(a)d") % {"n": attempt.round.number, "a": attempt.number}
    kinds: tuple[tuple[str, datetime | None, Callable[[SitePart], str]], ...] = (
        (_("committed to their cohorts"), attempt.committed_at, lambda part: _digest(part.commitment)),
        (_("dealt their secret shares"), attempt.dealt_at, lambda part: _digest(part.deal)),
        (_("sent their masked updates"), attempt.collected_at, lambda part: part.vector),
        (_("signed the result"), attempt.verified_at, lambda part: _digest(part.result_signature)),
    )
    for words, at, digest in kinds:
        given = [(names.get(p.organization_id, _("A former member")), digest(p)) for p in attempt.parts.all()]
        parts = tuple(sorted((name, value) for name, value in given if value))
        if at and parts:
            count = ngettext("%(n)d site", "%(n)d sites", len(parts)) % {"n": len(parts)}
            yield Step(at, SITE, count, f"{count} {words}", place, url=url, parts=parts)


def _digest(answer: object) -> str:
    """The digest of an answer as it is kept; empty for none."""
    return digest_of(answer) if answer else ""


def _uuids(texts: Iterable[str]) -> list[UUID]:
    found = []
    for text in texts:
        try:
            found.append(UUID(text))
        except ValueError:
            continue
    return found
