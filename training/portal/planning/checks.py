"""What each site will check of a plan, as sentences, each with what is known of it here and now."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from consent.domain.evaluation import Question
from consent.domain.purposes import covers, implied_conditions
from consent.models import DataSet
from consent.selectors import bands_of_members, data_sets, permitted_count
from consortium.kernel.bands import band_label
from training.domain.plan_document import PlanDocument
from training.federated.layout import WEIGHTED_UPDATE
from training.federated.source_digests import code_digest, runner_digest
from training.portal.hues import Site, Sites

# A round's window: a consent that ends within it does not count.
ROUND = timedelta(hours=1)
HOLDS, FAILS, AT_SITE, WAITS, PRIVATE = "holds", "fails", "at_site", "waits", "private"


@dataclass(frozen=True, slots=True)
class Check:
    """One sentence; `state` is one of the five above."""

    words: str
    state: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class SiteChecks:
    """What one site will check of its own."""

    site: Site
    checks: tuple[Check, ...]


def common_checks(plan: PlanDocument, *, is_approved: bool) -> list[Check]:
    """Return what every site checks alike: the vote, the code, the sums."""
    return [
        Check(_("The members have approved exactly this document with these terms."), HOLDS if is_approved else WAITS),
        _same_code(plan),
        _bound(plan),
        _ring(plan),
    ]


def site_checks(plan: PlanDocument, sites: Sites, own: UUID | None) -> list[SiteChecks]:
    """Return what each site checks of itself, as far as the platform knows it."""
    registered: dict[UUID, list[DataSet]] = {}
    for row in data_sets(plan.consortium):
        registered.setdefault(row.organization_id, []).append(row)
    epochs = {UUID(row["organization"]): row for row in bands_of_members(plan.consortium)}
    return [
        SiteChecks(
            sites[site],
            (
                _member(site, sites),
                _data_set(plan, registered.get(site, [])),
                _epoch(plan, epochs.get(site)),
                *_own_cohort(plan, site, own),
                Check(
                    _("Its cohort for this purpose is at least %(band)s, counted anew each round.")
                    % {"band": band_label(plan.terms.minimum_band)},
                    AT_SITE,
                ),
                Check(
                    _("Its own rules allow the purpose, %(n)d rounds, and no stop is set.") % {"n": plan.terms.rounds},
                    AT_SITE,
                ),
            ),
        )
        for site in plan.sites
    ]


def _same_code(plan: PlanDocument) -> Check:
    words = _("Training code and runner are those that it has installed.")
    if (plan.code_digest, plan.runner_digest) == (code_digest(), runner_digest()):
        return Check(words, AT_SITE, _("They are those of this platform's release; each site compares its own."))
    return Check(words, FAILS, _("The plan names another release than this platform's. Copy it as a new draft."))


def _bound(plan: PlanDocument) -> Check:
    terms = plan.terms
    words = _("The roster keeps 2t > n + c and t - c >= 2 (t = %(t)d, c = %(c)d).") % {
        "t": terms.threshold,
        "c": terms.colluders,
    }
    fullest = 2 * terms.threshold > len(plan.sites) + terms.colluders
    note = "" if fullest else _("With all its sites the bound breaks: some of those that commit stay out of a round.")
    return Check(words, HOLDS, note)


def _ring(plan: PlanDocument) -> Check:
    proof = plan.training_plan.layout().part(WEIGHTED_UPDATE).encoding.proof()
    return Check(_("No sum can overflow the ring of %(n)d bits.") % {"n": plan.training_plan.ring_bits}, HOLDS, proof)


def _member(site: UUID, sites: Sites) -> Check:
    return Check(_("It is an active member."), HOLDS if site in sites.active else FAILS)


def _data_set(plan: PlanDocument, rows: Sequence[DataSet]) -> Check:
    words = _("Its data set has every column that the plan reads, and is registered for the purpose.")
    if not rows:
        return Check(words, FAILS, _("It has registered no data set."))
    fitting = [row for row in rows if not _lacks(plan, row)]
    permitted = [row for row in fitting if _is_permitted(plan, row)]
    if permitted:
        return Check(words, HOLDS, _("%(name)s, registered and signed by the site.") % {"name": permitted[0].name})
    if fitting:
        return Check(words, FAILS, _("%(name)s is registered for other purposes.") % {"name": fitting[0].name})
    missing = ", ".join(sorted(_lacks(plan, rows[0])))
    return Check(words, FAILS, _("%(name)s lacks: %(columns)s.") % {"name": rows[0].name, "columns": missing})


def _lacks(plan: PlanDocument, row: DataSet) -> set[str]:
    kinds = {column["name"]: column["kind"] for column in row.schema["columns"]}
    return {name for name, kind in plan.data_schema.columns.items() if kinds.get(name) != kind}


def _is_permitted(plan: PlanDocument, row: DataSet) -> bool:
    meets = set(row.conditions) <= implied_conditions(plan.purpose, plan.conditions)
    return meets and any(covers(purpose, plan.purpose) for purpose in row.purposes)


def _epoch(plan: PlanDocument, epoch: dict[str, object] | None) -> Check:
    words = _("Its consents are anchored, and the cohort's leaves lie under that anchored root.")
    if epoch is None:
        return Check(words, WAITS, _("It has anchored no epoch of consents yet."))
    too_few = isinstance(epoch["band"], int) and epoch["band"] < plan.terms.minimum_band
    note = _("Epoch %(epoch)s: who permits anything is in the band %(band)s; who permits this, the site counts.") % {
        "epoch": epoch["epoch"],
        "band": epoch["band_label"],
    }
    return Check(words, FAILS if too_few else HOLDS, note)


def _own_cohort(plan: PlanDocument, site: UUID, own: UUID | None) -> Iterable[Check]:
    """The exact number of those who permit it now, for the organization's own eyes alone."""
    if site != own:
        return
    question = Question(
        purpose=plan.purpose,
        categories=frozenset(plan.categories),
        recipients=frozenset(map(str, plan.recipients)),
        conditions=frozenset(plan.conditions),
        at=(now := timezone.now().replace(microsecond=0)),
        until=now + ROUND,
    )
    count = permitted_count(consortium_id=plan.consortium, organization_id=site, question=question)
    yield Check(
        _("Of your own people %(count)s permit exactly this now.") % {"count": f"{count:,}"},
        PRIVATE,
        _("Only your organization sees this number."),
    )
