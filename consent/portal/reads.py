"""What the pages about consents read: own rows exactly, the others' as the bands they anchored."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Count, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from consent.domain.purposes import duo_terms, purpose_label
from consent.models import ConsentEpoch, EffectiveRule, Grant, RevocationEvent, Withdrawal
from consortium.common.parts import ProofMark, Slice, Step, slices
from consortium.common.times import span
from consortium.kernel.bands import band_label
from consortium.kernel.errors import InvalidInputError
from consortium.membership.models import Consortium, Membership, Organization

CALENDAR_DAYS = 12
_MEANINGS = {"active": "settled", "withdrawn": "refused", "expired": "waiting", "draft": "underway"}


@dataclass(frozen=True)
class Purpose:
    """A purpose in plain words, its code second."""

    code: str
    label: str


@dataclass(frozen=True)
class PurposeCount:
    """How many of one's own people have a rule that permits, or denies, a purpose."""

    purpose: Purpose
    permit: int
    deny: int


@dataclass(frozen=True)
class EpochRow:
    """The newest confirmed epoch of a member."""

    organization: Organization
    epoch: ConsentEpoch | None

    @property
    def band(self) -> str:
        return band_label(self.epoch.band) if self.epoch else ""

    @property
    def proof(self) -> ProofMark | None:
        if self.epoch is None:
            return None
        return ProofMark.of(self.epoch, _("%(name)s, site key") % {"name": self.organization.name}, self.epoch.as_of)


@dataclass(frozen=True)
class CalendarRow:
    """What a member anchored, day by day: epochs and revocations."""

    organization: Organization
    days: tuple[tuple[date, int], ...]


def purpose_of(code: str) -> Purpose:
    """A purpose or condition in words; its shorthand and code for who knows them."""
    try:
        words = purpose_label(code)
    except InvalidInputError:
        words = duo_terms()[code].label if code in duo_terms() else _("a purpose that this deployment does not know")
    shorthand = duo_terms()[code].shorthand if code in duo_terms() else ""
    return Purpose(f"{shorthand} {code}".strip(), words[:1].upper() + words[1:])


def states(numbers: dict[str, int]) -> list[Slice]:
    """The organization's own consents by state, as parts of a bar."""
    shown = [(state, label) for state, label in Grant.State.choices if numbers.get(state)]
    return slices(
        *((numbers[state], _MEANINGS.get(state, "private-soft"), str(label).lower()) for state, label in shown)
    )


def by_purpose(*, consortium_id: UUID, organization_id: UUID) -> list[PurposeCount]:
    """Own people by purpose of their rules, in one query; a plan's own question is answered at the site."""
    rules = EffectiveRule.objects.filter(consortium_id=consortium_id, organization_id=organization_id)
    counted = rules.values_list("purpose", "effect").annotate(people=Count("subject", distinct=True))
    numbers: dict[str, dict[str, int]] = {}
    for purpose, effect, people in counted:
        numbers.setdefault(purpose, {})[effect] = people
    rows = [PurposeCount(purpose_of(code), n.get("permit", 0), n.get("deny", 0)) for code, n in numbers.items()]
    return sorted(rows, key=lambda row: -row.permit)


def newest_epochs(consortium: Consortium) -> list[EpochRow]:
    """Each member with its newest confirmed epoch."""
    confirmed = ConsentEpoch.objects.filter(consortium=consortium, chain_state="confirmed")
    newest = {row.organization_id: row for row in _newest(confirmed)}
    return [EpochRow(row.organization, newest.get(row.organization_id)) for row in _members(consortium)]


def calendar(consortium: Consortium) -> list[CalendarRow]:
    """What each member anchored in the last days; a day without any is a nought."""
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in reversed(range(CALENDAR_DAYS))]
    since = timezone.now() - timedelta(days=CALENDAR_DAYS)
    counts: dict[tuple[UUID, date], int] = {}
    for model in (ConsentEpoch, RevocationEvent):
        rows = model.objects.filter(consortium=consortium, chain_state="confirmed", created_at__gte=since)
        for organization_id, at in rows.values_list("organization_id", "created_at"):
            key = (organization_id, timezone.localdate(at))
            counts[key] = counts.get(key, 0) + 1
    return [
        CalendarRow(row.organization, tuple((day, counts.get((row.organization_id, day), 0)) for day in days))
        for row in _members(consortium)
    ]


def steps_of(withdrawal: Withdrawal) -> list[Step]:
    """How far a withdrawal has come, with the seconds that each step took."""
    begun = withdrawal.created_at
    steps = [Step(_("Recorded"), withdrawal.get_origin_display(), begun)]
    for moment, title, todo in (
        (withdrawal.received_at, _("Received by your agent"), _("Your agent takes it in and signs a receipt")),
        (withdrawal.confirmed_at, _("Confirmed"), _("Each chain that the consent stands on says so")),
    ):
        note = _("%(span)s after it was recorded") % {"span": span(moment - begun)} if moment else ""
        steps.append(Step(title, when=moment, note=note) if moment else Step(todo, state="todo", icon="clock-3"))
    return steps


def _newest(epochs: QuerySet[ConsentEpoch]) -> QuerySet[ConsentEpoch]:
    return epochs.order_by("organization_id", "-epoch").distinct("organization_id")


def _members(consortium: Consortium) -> Sequence[Membership]:
    inside = (Membership.Status.ACTIVE, Membership.Status.SUSPENDED)
    return [row for row in consortium.memberships.all() if row.status in inside]
