"""What a digest, hash, address or id names, and the page that shows it; policies decide what is found."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from audit.models import AuditLeaf, AuditRecord, Bundle, Checkpoint, TreeNode
from consent.models import ConsentBatch, ConsentEpoch, DataSet, RevocationEvent
from consortium.governance.models import Proposal
from consortium.membership.models import OrganizationKey
from contracts.models import ChainEventRecord, ContractDeployment, OutboxTransaction
from training.models import Attempt, ForeignModel, ForeignStatement, Model, Peer, Plan, Round, Run, SitePart

_BARE = re.compile(r"[0-9a-f]{64}\Z")
# A list of what carries one digest is read by people.
MOST = 25


@dataclass(frozen=True, slots=True)
class Target:
    """One thing that carries the name; a thing without a page of its own has no url."""

    kind: str
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for, in every spelling in which it may be stored."""

    text: str
    spellings: tuple[str, ...]
    raw: bytes
    id: UUID | None
    reads_records: bool


def wanted(text: str, *, reads_records: bool) -> Wanted:
    """Return a name with its other spellings: a digest is `sha256:`, a bytes32 of the chain, or bare."""
    name = text.strip().lower()
    bare = name.removeprefix("sha256:").removeprefix("0x")
    if _BARE.match(bare):
        return Wanted(name, (f"sha256:{bare}", f"0x{bare}", bare), bytes.fromhex(bare), None, reads_records)
    return Wanted(name, (name,), b"", _uuid(name), reads_records)


def targets_of(asked: Wanted) -> list[Target]:
    """Return everything that carries the name, each page once, the most telling first."""
    found: dict[tuple[str, str], Target] = {}
    for look in LOOKS:
        for target in look(asked):
            found.setdefault((target.url, target.title if not target.url else ""), target)
            if len(found) >= MOST:
                return list(found.values())
    return list(found.values())


def _matching(asked: Wanted, *fields: str, by_id: bool = True) -> Q:
    condition = Q(pk=asked.id) if by_id and asked.id else Q(pk__in=[])
    for field in fields:
        condition |= Q(**{f"{field}__in": asked.spellings})
    return condition


def _plans(asked: Wanted) -> Iterable[Target]:
    for plan in Plan.objects.filter(_matching(asked, "digest", "subject"))[:MOST]:
        yield Target(_("Plan"), plan.title, reverse("plan", args=[plan.pk]))


def _models(asked: Wanted) -> Iterable[Target]:
    rows = Model.objects.filter(_matching(asked, "digest", "card_digest", "transaction_hash"))
    for model in rows.select_related("run__plan")[:MOST]:
        kind = _("Model card") if model.card_digest in asked.spellings else _("Model")
        yield Target(kind, _title(model.run), reverse("model", args=[model.pk]))


def _foreign(asked: Wanted) -> Iterable[Target]:
    """Models of other consortia, by whatever their chains said of them, and those chains by their anchors."""
    said = ForeignStatement.objects.filter(_matching(asked, "word", "transaction_hash", by_id=False)).values("model")
    rows = ForeignModel.objects.filter(_matching(asked, "digest") | Q(pk__in=said))
    for model in rows[:MOST]:
        title = f"{model.digest}, {model.get_state_display()}"
        yield Target(_("Model of another consortium"), title, reverse("foreign_model", args=[model.pk]))
    words = ("peer", "anchor_hash", "anchor_validators", "proven_hash", "proven_validators")
    addresses = Q(models_address__iexact=asked.text) | Q(source_address__iexact=asked.text)
    for peer in Peer.objects.filter(_matching(asked, *words) | (addresses if asked.text else Q(pk__in=[])))[:MOST]:
        yield Target(_("Another consortium"), peer.peer, f"{reverse('foreign_models')}#peers")


def _proposals(asked: Wanted) -> Iterable[Target]:
    fields = ("chain_key", "document_digest", "subject", "transaction_hash")
    for proposal in Proposal.objects.filter(_matching(asked, *fields))[:MOST]:
        title = proposal.description or proposal.kind
        yield Target(_("Proposal"), title, reverse("proposal", args=[proposal.pk]))


def _runs(asked: Wanted) -> Iterable[Target]:
    rows = Run.objects.filter(_matching(asked, "transaction_hash", "weights")).select_related("plan")
    for run in rows[:MOST]:
        yield Target(_("Run"), _title(run), reverse("run", args=[run.pk]))


def _rounds(asked: Wanted) -> Iterable[Target]:
    within = Q(pk__in=Round.objects.filter(_matching(asked, "weights", "next_weights")).values("run"))
    fields = ("aggregate", "next_weights", "roster_digest")
    within |= Q(pk__in=Attempt.objects.filter(_matching(asked, *fields)).values("run"))
    within |= Q(pk__in=SitePart.objects.filter(_matching(asked, "vector", by_id=False)).values("attempt__run"))
    for run in Run.objects.filter(within).select_related("plan")[:MOST]:
        kind = _("Weights, sums or updates of a run")
        yield Target(kind, _title(run), reverse("run", args=[run.pk]))


def _records(asked: Wanted) -> Iterable[Target]:
    if not asked.reads_records:
        return
    leaves = TreeNode.objects.filter(level=0, hash=asked.raw).values_list("log_id", "index")[:MOST] if asked.raw else ()
    by_leaf = [AuditLeaf.objects.filter(log_id=log, index=index).values("record") for log, index in leaves]
    condition = _matching(asked, "digest")
    for one in by_leaf:
        condition |= Q(pk__in=one)
    for record in AuditRecord.objects.filter(condition).defer("canonical")[:MOST]:
        yield Target(_("Record"), record.action, reverse("record", args=[record.pk]))


def _checkpoints(asked: Wanted) -> Iterable[Target]:
    """A checkpoint has no page: the page of the last record under it shows it."""
    condition = _matching(asked, "anchor__transaction_hash")
    if asked.raw:
        condition |= Q(root=asked.raw)
    for checkpoint in Checkpoint.objects.filter(condition)[:MOST] if asked.reads_records else ():
        last = AuditLeaf.objects.filter(log_id=checkpoint.log_id, index=checkpoint.size - 1).first()
        title = _("Checkpoint of %(size)s records") % {"size": f"{checkpoint.size:,}"}
        yield Target(_("Checkpoint"), title, reverse("record", args=[last.record_id]) if last else "")


def _transactions(asked: Wanted) -> Iterable[Target]:
    for row in OutboxTransaction.objects.filter(_matching(asked, "transaction_hash"))[:MOST]:
        title = f"{row.contract}.{row.function}"
        yield Target(_("Transaction"), title, reverse("correlation", args=[row.correlation_id]))


def _events(asked: Wanted) -> Iterable[Target]:
    for event in ChainEventRecord.objects.filter(_matching(asked, "transaction_hash", "block_hash"))[:MOST]:
        title = _("%(name)s in block %(block)s") % {"name": event.name, "block": f"{event.block_number:,}"}
        yield Target(_("Event that all members hold"), title, "")


def _correlations(asked: Wanted) -> Iterable[Target]:
    if asked.id is None:
        return
    seen = OutboxTransaction.objects.filter(correlation_id=asked.text).exists()
    if seen or (asked.reads_records and AuditRecord.objects.filter(correlation_id=asked.text).exists()):
        yield Target(_("Act"), _("Everything it set off"), reverse("correlation", args=[asked.text]))


def _addresses(asked: Wanted) -> Iterable[Target]:
    for contract in ContractDeployment.objects.filter(address__iexact=asked.text)[:MOST]:
        yield Target(_("Contract"), _("%(name)s, block %(n)s") % {"name": contract.name, "n": contract.block}, "")
    keys = OrganizationKey.objects.filter(address__iexact=asked.text).select_related("membership__organization")
    for key in keys[:MOST]:
        title = f"{key.get_purpose_display()}, {key.membership.organization.name}"
        yield Target(_("Member's key"), title, "")


def _consents(asked: Wanted) -> Iterable[Target]:
    """Anchors of consents are shown by their records."""
    for epoch in ConsentEpoch.objects.filter(_matching(asked, "root", "message_digest", "transaction_hash"))[:MOST]:
        title = _("Epoch %(epoch)s, entry %(seq)s") % {"epoch": epoch.epoch, "seq": epoch.seq}
        yield Target(_("Anchored consents"), title, _audit(asked, "consent.epoch.anchor", str(epoch.organization_id)))
    for one in RevocationEvent.objects.filter(_matching(asked, "message_digest", "transaction_hash"))[:MOST]:
        title = _("Epoch %(epoch)s, entry %(seq)s") % {"epoch": one.epoch, "seq": one.seq}
        url = _audit(asked, "consent.revocation.anchor", str(one.organization_id))
        yield Target(_("Anchored revocations"), title, url)


def _data(asked: Wanted) -> Iterable[Target]:
    for row in DataSet.objects.filter(_matching(asked, "digest", "schema_digest"))[:MOST]:
        yield Target(_("Data set"), row.name, _audit(asked, "consent.data_set.register", str(row.pk)))
    for batch in ConsentBatch.objects.filter(_matching(asked, "digest"))[:MOST]:
        title = _("Import %(n)d") % {"n": batch.sequence}
        yield Target(
            _("Batch of consents"), title, _audit(asked, "consent.batch.import", str(batch.pk), "organization")
        )


def _bundles(asked: Wanted) -> Iterable[Target]:
    for bundle in Bundle.objects.filter(_matching(asked, "digest"))[:MOST]:
        yield Target(_("Evidence bundle"), bundle.report, reverse("report", args=[bundle.pk]))


LOOKS: Sequence[Callable[[Wanted], Iterable[Target]]] = (
    *(_plans, _models, _foreign, _proposals, _runs, _rounds, _records, _checkpoints, _transactions),
    *(_events, _correlations, _addresses, _consents, _data, _bundles),
)


def _audit(asked: Wanted, action: str, subject: str, log: str = "consortium") -> str:
    return f"{reverse('audit')}?log={log}&action={action}&subject={subject}" if asked.reads_records else ""


def _title(run: Run) -> str:
    return run.plan.title if run.plan else _("Run of a plan known from the chain alone")


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
