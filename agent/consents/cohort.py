"""Selecting a cohort: who permits a plan under the state that the chain shows, and has not withdrawn since."""

from collections.abc import Mapping
from dataclasses import dataclass

from agent.chain import Consortium
from agent.consents.anchors import Anchor, ChainState, revocation_chain, rule_subject
from agent.consents.epochs import Anchoring
from agent.consents.errors import AnchorOnItsWayError, CohortTooSmallError, ConsentStateError, NoEpochError
from agent.consents.question import PlanQuestion
from agent.consents.store import ConsentStore
from consent.domain.cohorts import CohortSelector
from consortium.kernel.bands import band
from consortium.kernel.manifests import CohortManifest, ConsentState


@dataclass(frozen=True, slots=True, repr=False)
class Cohort:
    """Whom a round may train on. `leaves` (S to C) go into the manifest; `records` (S to record id) stay here."""

    leaves: Mapping[bytes, bytes]
    records: Mapping[bytes, str]
    state: ConsentState

    @property
    def count(self) -> int:
        """The exact number of subjects; it leaves the site in no message."""
        return len(self.leaves)

    @property
    def band(self) -> int:
        """The band that the commitment carries."""
        return band(self.count)


class Cohorts:
    """Selects cohorts of one member."""

    def __init__(self, *, store: ConsentStore, anchoring: Anchoring) -> None:
        self._store = store
        self._anchoring = anchoring

    def select_cohort(
        self, consortium: Consortium, question: PlanQuestion, *, as_of: int, valid_until: int, minimum: int
    ) -> Cohort:
        """Return everybody who permits the question over the whole of [as_of, valid_until).

        The state is read from the site's own node. Subjects who were revoked, or who have withdrawn at the site and
        are not off the chain yet, are left out.

        Raises
        ------
        CohortTooSmallError
            If they are fewer than the minimum.
        NoEpochError, AnchorOnItsWayError
            If the chain holds no epoch of this site, or its newest one is not settled here yet.
        ConsentStateError
            If the chain shows what this site did not sign.
        """
        state = self._anchoring.settle(consortium)
        epoch, revoked = self._require_current(consortium, state)
        asked = question.at(max(as_of, state.as_of), valid_until)
        with self._store.database.transaction() as connection:
            selected = CohortSelector(connection).select(asked)
            gone = self._anchoring.effects.unsettled_pseudonyms(consortium.id)
            rows = connection.execute(
                "SELECT leaves.pseudonym, subject, consent, record FROM leaves "
                "JOIN subjects ON subjects.pseudonym = leaves.pseudonym WHERE anchor = ?",
                (epoch.digest,),
            ).fetchall()
        permitted = {name for name in selected if name.startswith(f"{consortium.id}/")}
        chosen = [
            (subject, consent, record)
            for name, subject, consent, record in rows
            if rule_subject(consortium.id, name) in permitted and name not in gone and subject not in revoked
        ]
        if len(chosen) < minimum:
            raise CohortTooSmallError(
                "Fewer subjects permit this plan than its minimum cohort. The site takes no part.",
                reason="cohort_too_small",
            )
        return Cohort(
            leaves={subject: consent for subject, consent, _record in chosen},
            records={subject: record for subject, _consent, record in chosen},
            state=ConsentState(state.epoch, state.root, state.seq, max(as_of, state.as_of), valid_until),
        )

    def note_manifest(self, manifest: CohortManifest) -> None:
        """Remember in which runs each subject was, so that an erasure can say so before it deletes."""
        attempt = manifest.attempt
        with self._store.database.transaction() as connection:
            connection.executemany(
                "INSERT OR IGNORE INTO cohorts VALUES (?, ?, ?, ?)",
                [(str(attempt.run), attempt.round, attempt.attempt, subject) for subject, _consent in manifest.entries],
            )

    def _require_current(self, consortium: Consortium, state: ChainState) -> tuple[Anchor, frozenset[bytes]]:
        if state.epoch == 0:
            raise NoEpochError("The chain holds no epoch of this site. Anchor one with: consilium-site consents epoch")
        anchors = self._anchoring.anchors
        epoch = anchors.epoch_of(consortium.id, state.epoch, state.root)
        last = anchors.last_landed(consortium.id)
        if epoch is None or last is None:
            raise ConsentStateError("The epoch on the chain is not one of this site's. Nothing is committed on it.")
        if last.seq != state.seq:
            raise AnchorOnItsWayError("The node is behind what this site has seen of its consents. Try again.")
        revoked = anchors.revoked_in(consortium.id, state.epoch, state.seq)
        if revocation_chain(revoked) != state.revocations:
            raise ConsentStateError("The revocations on the chain are not this site's. Nothing is committed on them.")
        return epoch, frozenset(revoked)
