"""`commit`: everything that a site makes sure of on its own node before it takes part in an attempt."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.clock import Clock
from agent.configuration import Rules
from agent.consents.cohort import Cohort, Cohorts
from agent.consents.epochs import Anchoring
from agent.consents.errors import AnchorOnItsWayError
from agent.consents.question import PlanQuestion
from agent.training.attempts import Attempt, Attempts, CommittedCohort
from agent.training.choices import ChoiceJournal
from agent.training.errors import NotYetError, refused
from agent.training.incoming import Results, require_incoming
from agent.training.ledger import Ledger
from agent.training.patience import patiently
from agent.training.payloads import CommitAsked
from agent.training.plans import Plans
from agent.training.records import RecordDoor, Table
from agent.training.runs_folder import RunsFolder
from consortium.kernel.consent_leaf import LeafContext
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.identifiers import to_hex, uuid_to_bytes32
from consortium.kernel.manifests import AttemptReference, CohortManifest, ConsentState, build_manifest
from contracts.events import BlockHeader
from training.federated.plan_document import PlanDocument
from training.federated.secagg.deals import SignedFields
from training.federated.secagg.site import SiteAttempt

COMMITMENT = "Commitment"
# Protocol section 4: the site's own anchoring is held back for at most so many blocks.
VALID_BLOCKS = 10
# A commitment that is asked for again is signed anew when it has fewer blocks left than that.
_FRESH_BLOCKS = 5
# A round's rows are used within this time after they were chosen; consents must last as long.
ROUND_SECONDS = 3600
_NO_PRIVACY_EVENT = bytes(32)


@dataclass(frozen=True)
class Committing:
    """Signs commitments of one member."""

    plans: Plans
    attempts: Attempts
    results: Results
    records: RecordDoor
    runs: RunsFolder
    choices: ChoiceJournal
    cohorts: Callable[[], Cohorts]
    anchoring: Callable[[], Anchoring]
    rules: Callable[[], Rules]
    clock: Clock

    def commit(
        self, ledger: Ledger, plan: PlanDocument, asked: CommitAsked, canceled: threading.Event
    ) -> Mapping[str, Any]:
        """Return the signed commitment and the attempt's mask keys, or refuse; nothing is signed then.

        Raises
        ------
        JobRefusedError
            With a code of docs/wire.md.
        """
        head = self._require_young_head(ledger)
        if not ledger.is_active(ledger.organization):
            raise refused("not_active", "The registry does not list this member as active.")
        self.plans.require_agreed(ledger, plan, asked)
        patiently(lambda: self._require_next(ledger, plan, asked), canceled)
        attempt = self._attempt(ledger, plan, asked, head)
        with attempt.lock:
            if attempt.weights != asked.weights:
                raise refused("weights_differ", "This site has committed to other weights in this attempt.")
            if (standing := self._standing(attempt)) is None:
                standing = patiently(lambda: self._sign(attempt), canceled)
                attempt.commitments.append(standing)
        return {
            "commitment": {name: to_hex(v) if isinstance(v, bytes) else v for name, v in standing.fields.items()},
            "signature": to_hex(standing.signature),
            "mask_keys": attempt.site.mask_keys().to_wire(),
        }

    def _require_young_head(self, ledger: Ledger) -> BlockHeader:
        head = ledger.head()
        age = int(self.clock().timestamp()) - head.time
        if age > self.rules().max_head_age_seconds:
            raise refused("head_too_old", f"The newest block of this site's node is {age} s old.")
        return head

    def _require_next(self, ledger: Ledger, plan: PlanDocument, asked: CommitAsked) -> None:
        """Hold run, terms and weights to the chain; what may only be late is looked at again."""
        run = ledger.run_of(asked.place.run)
        if run.status == 0:
            raise NotYetError("This site's node does not know the run yet.")
        if not run.is_live:
            raise refused("run_ended", "The run has ended on this site's node.")
        if run.plan != digest_to_bytes32(asked.plan) or run.decision != asked.decision:
            raise refused("digest_differs", "The run on the chain is of another plan or decision.")
        if dict(run.terms) != plan.terms.fields():
            raise refused("plan_not_approved", "The run on the chain has other terms than the plan.")
        if asked.place.round > plan.terms.rounds:
            raise refused("attempt_unknown", "The plan has fewer rounds.")
        require_incoming(ledger, run, plan, asked, self.results)

    def _attempt(self, ledger: Ledger, plan: PlanDocument, asked: CommitAsked, head: BlockHeader) -> Attempt:
        """Return the attempt, with secrets made now if it is new."""
        if (known := self.attempts.find(ledger, asked.place)) is not None:
            return known
        table = self.records.table_for(plan)
        site = SiteAttempt(
            context=ledger.context(asked.place),
            organization=ledger.organization,
            weights=asked.weights,
            sign=ledger.sign,
            verify=ledger.verify,
            record=self.choices.record,
        )
        attempt = Attempt(asked.place, ledger, plan, asked.plan, asked.weights, site, table, head.number)
        self.attempts.add(attempt)
        return attempt

    def _standing(self, attempt: Attempt) -> CommittedCohort | None:
        """Return the last commitment while it may still be opened: asked again, the site says the same."""
        if not attempt.commitments:
            return None
        last = attempt.commitments[-1]
        seq = attempt.ledger.consent_seq()
        is_fresh = int(last.fields["validUntilBlock"]) - attempt.ledger.head().number >= _FRESH_BLOCKS
        # After a rotation the ledger refuses what the old key signed; the same attempt is committed to anew.
        holds = seq == last.fields["seq"] and attempt.ledger.is_by_present_key(COMMITMENT, last.fields, last.signature)
        return last if is_fresh and holds else None

    def _sign(self, attempt: Attempt) -> CommittedCohort:
        """Choose the cohort, write its manifest, then sign; the site's own anchoring is held back meanwhile."""
        ledger, place = attempt.ledger, attempt.place
        head = ledger.head()
        consortium = ledger.consortium
        self._hold(attempt, head)
        try:
            cohort = self._cohort(attempt, head)
            manifest = build_manifest(
                context=LeafContext(consortium.chain_id, consortium.id, ledger.organization),
                attempt=AttemptReference(ledger.address, place.run, place.round, place.attempt, attempt.plan_digest),
                state=cohort.state,
                cohort=cohort.leaves,
            )
            self.runs.keep_manifest(place, manifest)
            self.cohorts().note_manifest(manifest)
            fields = self._fields(attempt, manifest, head)
            signature = ledger.sign(COMMITMENT, fields)
        except BaseException:
            if not attempt.commitments:
                self.anchoring().holds.release(consortium.id, place.text)
            raise
        return CommittedCohort(fields, signature, manifest, frozenset(cohort.records.values()))

    def _hold(self, attempt: Attempt, head: BlockHeader) -> None:
        """Hold the site's anchoring back; withdrawals that wait go first, so that no row of attempts starves them."""
        consortium, anchoring = attempt.ledger.consortium, self.anchoring()
        if anchoring.effects.waiting(consortium.id):
            anchoring.holds.release(consortium.id, attempt.place.text)
            raise AnchorOnItsWayError("Withdrawals wait to be anchored. The site commits when the chain shows them.")
        try:
            until = head.number + VALID_BLOCKS
            anchoring.holds.hold(consortium.id, attempt.place.text, head=head.number, until_block=until)
        except AnchorOnItsWayError:
            # It may be on the chain since the consents' own round looked last.
            anchoring.settle(consortium)
            raise

    def _cohort(self, attempt: Attempt, head: BlockHeader) -> Cohort:
        """Return who permits the plan and has rows, at least as many as plan and member ask for."""
        plan = attempt.plan
        minimum = max(plan.terms.minimum_band, self.rules().minimum_cohort)
        selected = self.cohorts().select_cohort(
            attempt.ledger.consortium,
            question_of(plan),
            as_of=head.time,
            valid_until=head.time + ROUND_SECONDS,
            minimum=minimum,
        )
        cohort = _with_rows(selected, attempt.table)
        if cohort.count < minimum:
            raise refused("cohort_too_small", "Fewer subjects with records permit this plan than its minimum cohort.")
        if len(attempt.table.rows_of(frozenset(cohort.records.values()))) > plan.training_plan.max_rows:
            raise refused("local_rule", "The cohort has more rows than the plan takes of one site.")
        return cohort

    def _fields(self, attempt: Attempt, manifest: CohortManifest, head: BlockHeader) -> SignedFields:
        ledger, place, state = attempt.ledger, attempt.place, manifest.state
        # One below the head: a block that every node has, and that the contract can look up when it opens.
        named = ledger.block(max(head.number - 1, 0))
        if named is None:
            raise NotYetError("This site's node does not have the block before its newest one.")
        return {
            "run": uuid_to_bytes32(place.run),
            "round": place.round,
            "attempt": place.attempt,
            "organization": uuid_to_bytes32(ledger.organization),
            "plan": digest_to_bytes32(attempt.plan_digest),
            "weights": attempt.weights,
            "cohortRoot": manifest.cohort_root(),
            "band": manifest.band,
            "epoch": state.epoch,
            "seq": state.seq,
            "asOf": state.as_of,
            "blockNumber": named.number,
            "blockHash": named.hash,
            "maskKeys": attempt.site.mask_keys().digest(ledger.context(place)),
            "privacyEvent": _NO_PRIVACY_EVENT,
            "validUntilBlock": head.number + VALID_BLOCKS,
        }


def question_of(plan: PlanDocument) -> PlanQuestion:
    """Return what the plan asks of every subject."""
    return PlanQuestion(
        purpose=plan.purpose,
        categories=frozenset(plan.categories),
        recipients=frozenset(str(recipient) for recipient in plan.recipients),
        conditions=frozenset(plan.conditions),
    )


def _with_rows(cohort: Cohort, table: Table) -> Cohort:
    """Leave out subjects of whom the data set has no row: a leaf that is committed to is one that is trained on."""
    here = {subject: record for subject, record in cohort.records.items() if record in table.records}
    leaves = {subject: cohort.leaves[subject] for subject in here}
    state = cohort.state
    return Cohort(leaves, here, ConsentState(state.epoch, state.root, state.seq, state.as_of, state.valid_until))
