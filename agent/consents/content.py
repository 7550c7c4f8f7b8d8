"""The content of an epoch: one leaf for each subject who permits anything, built from grants and salts."""

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

from agent.consents.store import ConsentStore
from agent.consents.vault import SaltVault
from consent.domain.conflicts import ConflictPolicy, effective_provisions
from consent.domain.effective import EffectiveProvisions
from consent.domain.provisions import Effect
from consortium.kernel.consent_leaf import LeafContext, consent_commitment, consent_leaf, subject_commitment
from consortium.kernel.manifests import EPOCH_KIND
from consortium.kernel.trie import Trie


@dataclass(frozen=True, slots=True)
class ContentLeaf:
    """One subject's leaf: its commitments S and C, and what only the site knows of it."""

    subject: bytes
    consent: bytes
    pseudonym: str
    effective: EffectiveProvisions


@dataclass(frozen=True, slots=True)
class EpochContent:
    """An epoch before it is signed; `generation` is the store's at the time it was built from."""

    context: LeafContext
    as_of: int
    generation: int
    leaves: tuple[ContentLeaf, ...]

    def trie(self) -> Trie:
        """Return the trie whose root is anchored."""
        return Trie(
            EPOCH_KIND, {leaf.subject: consent_leaf(self.context, leaf.subject, leaf.consent) for leaf in self.leaves}
        )


def build_content(
    *, store: ConsentStore, vault: SaltVault, context: LeafContext, as_of: int, policy: ConflictPolicy
) -> EpochContent:
    """Build an epoch's content as of a Unix second.

    Who permits nothing has no leaf: a withdrawn, expired or refusing subject is in no epoch, and nobody can tell
    them from one who was never asked.
    """
    generation = store.generation
    at = datetime.fromtimestamp(as_of, UTC)
    permitting: dict[str, EffectiveProvisions] = {}
    for pseudonym, grants in store.grants_by_subject(context.consortium):
        effective = effective_provisions(grants, at, policy)
        if any(rule.effect is Effect.PERMIT for rule in effective.rules):
            permitting[pseudonym] = effective
    salts = vault.salts_of(context.consortium, permitting)
    leaves = [
        ContentLeaf(
            subject_commitment(salts[pseudonym].subject, pseudonym),
            consent_commitment(salts[pseudonym].consent, effective.to_json()),
            pseudonym,
            effective,
        )
        for pseudonym, effective in permitting.items()
    ]
    return EpochContent(context, as_of, generation, tuple(leaves))


def leaf_context(chain_id: int, consortium: uuid.UUID, organization: uuid.UUID) -> LeafContext:
    """Return whose leaves they are."""
    return LeafContext(chain_id, consortium, organization)
