"""What an auditor is given about a cohort: each leaf's place in its epoch, the revocations, and openings of C."""

import json
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from agent.consents.anchors import Anchor, Anchors, revocation_chain
from agent.consents.errors import ConsentStoreError
from agent.consents.store import ConsentStore
from agent.consents.vault import SaltVault
from consortium.kernel.consent_leaf import ConsentOpening, LeafContext, consent_leaf
from consortium.kernel.errors import InvalidProofError
from consortium.kernel.manifests import EPOCH_KIND, CohortManifest
from consortium.kernel.trie import Trie, TrieProof


@dataclass(frozen=True, slots=True)
class RevocationList:
    """Every subject revoked in an epoch up to an entry, in order: the list itself is the proof that others were not."""

    epoch: int
    seq: int
    subjects: tuple[bytes, ...]

    def verify(self, revocations: bytes) -> None:
        """Return if it is the list that the contract's chained hash stands for; `InvalidProofError` otherwise."""
        if revocation_chain(self.subjects) != revocations:
            raise InvalidProofError("The list of revocations is not the one whose hash the chain holds.")


class Proofs:
    """Makes proofs for one member's cohorts, also of epochs long past."""

    def __init__(self, *, store: ConsentStore, vault: SaltVault) -> None:
        self._store = store
        self._vault = vault
        self._anchors = Anchors(store.database)

    def epoch_trie(self, context: LeafContext, epoch: int, root: bytes) -> Trie:
        """Return an anchored epoch's trie, built again from what was kept of it.

        Raises
        ------
        ConsentStoreError
            If the store does not hold it, or what it holds has another root.
        """
        trie = Trie(
            EPOCH_KIND,
            {
                subject: consent_leaf(context, subject, consent)
                for subject, consent in self._anchors.leaves(
                    self._epoch(context.consortium, epoch, root).digest
                ).items()
            },
        )
        if trie.root != root:
            raise ConsentStoreError(f"What the store keeps of epoch {epoch} does not make its root. Restore the store.")
        return trie

    def inclusion(self, manifest: CohortManifest) -> dict[bytes, TrieProof]:
        """Return the proof of each of the cohort's leaves in its epoch, by S."""
        trie = self.epoch_trie(manifest.context, manifest.state.epoch, manifest.state.root)
        return {subject: trie.prove(subject) for subject, _consent in manifest.entries}

    def revocations(self, manifest: CohortManifest) -> RevocationList:
        """Return everybody revoked in the cohort's epoch before its round opened."""
        state = manifest.state
        revoked = self._anchors.revoked_in(manifest.context.consortium, state.epoch, state.seq)
        return RevocationList(state.epoch, state.seq, tuple(revoked))

    def openings(
        self, manifest: CohortManifest, subjects: Collection[bytes] | None = None
    ) -> Mapping[bytes, ConsentOpening]:
        """Return what opens C, by S, for all leaves or some; the erased ones are missing: not re-checkable.

        No opening of S is ever among them: an auditor learns what was permitted, not by whom.
        """
        state, consortium = manifest.state, manifest.context.consortium
        wanted = {subject for subject, _consent in manifest.entries}
        wanted &= wanted if subjects is None else set(subjects)
        rows = self._store.database.rows(
            "SELECT subject, pseudonym, text FROM leaves JOIN provisions ON provisions.digest = leaves.provisions "
            "WHERE anchor = ? AND pseudonym IS NOT NULL",
            self._epoch(consortium, state.epoch, state.root).digest,
        )
        opened = [(subject, name, text) for subject, name, text in rows if subject in wanted]
        salts = self._vault.known(consortium, [name for _subject, name, _text in opened])
        return {
            subject: ConsentOpening(salts[name].consent, json.loads(text))
            for subject, name, text in opened
            if name in salts
        }

    def _epoch(self, consortium: uuid.UUID, epoch: int, root: bytes) -> Anchor:
        anchor = self._anchors.epoch_of(consortium, epoch, root)
        if anchor is None:
            raise ConsentStoreError(f"The store does not hold epoch {epoch} under this root. Restore it from a copy.")
        return anchor
