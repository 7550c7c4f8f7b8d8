"""What changed in the sites' consents between two rounds: the state that each closed round was trained under."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from consent.models import RevocationEvent
from training.models import Round, SitePart
from training.portal.hues import Site, Sites

State = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Change:
    """From this round on a site trained under another anchored state; `is_revocation` if people withdrew."""

    round: int
    site: Site
    epoch: str
    entry: str
    is_revocation: bool


def changes_of(rounds: Sequence[Round], sites: Sites) -> list[Change]:
    """Return the changes in the order of rounds; a site's first state is none."""
    found = list(_changes(rounds))
    revoked = _revocations({site for _, site, _, _ in found})
    return [
        Change(number, sites[site], f"{new[0]:,}", f"{new[1]:,}", _between(revoked.get(site, []), old[1], new[1]))
        for number, site, old, new in found
    ]


def _changes(rounds: Sequence[Round]) -> Iterable[tuple[int, UUID, State, State]]:
    known: dict[UUID, State] = {}
    for one in rounds:
        for part in _parts(one):
            entry = getattr(part, "entry", None)
            if part.epoch is None or not isinstance(entry, int):
                continue
            state = (part.epoch, entry)
            before = known.get(part.organization_id)
            if before is not None and before != state:
                yield one.number, part.organization_id, before, state
            known[part.organization_id] = state


def _parts(one: Round) -> list[SitePart]:
    """The parts of the attempt that closed the round, else of the newest."""
    attempts = list(one.attempts.all())
    shown = next((a for a in attempts if a.number == one.closed_attempt), attempts[-1] if attempts else None)
    return list(shown.parts.all()) if shown is not None else []


def _revocations(sites: set[UUID]) -> dict[UUID, list[int]]:
    found: dict[UUID, list[int]] = {}
    rows = RevocationEvent.objects.filter(organization_id__in=sites, chain_state="confirmed") if sites else []
    for row in rows:
        found.setdefault(row.organization_id, []).append(row.seq)
    return found


def _between(entries: Sequence[int], old: int, new: int) -> bool:
    return any(old < entry <= new for entry in entries)
