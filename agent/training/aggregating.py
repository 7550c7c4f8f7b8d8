"""`shares`, `train`, `sign` and `reveal`: a site's part in secure aggregation, each answer given once."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from agent.consents.holds import Holds
from agent.training.attempts import Attempt, CommittedCohort
from agent.training.errors import CodeRefusedError, RunnerStoppedError, refused
from agent.training.opening import join_keys, require_opening
from agent.training.patience import patiently
from agent.training.payloads import RevealAsked, SharesAsked, SignAsked, TrainAsked
from agent.training.records import RecordDoor, Ticket
from agent.training.runner_messages import write_request
from agent.training.runner_process import RunnerProcess
from agent.training.runs_folder import RunsFolder
from consortium.kernel.identifiers import to_hex
from training.federated.errors import AlreadyChosenError, NotFiniteError, SecretsDestroyedError
from training.federated.runner import plain_from_bytes, prepare_vector
from training.federated.secagg.prg import RingVector


@dataclass(frozen=True)
class Aggregating:
    """Answers for one member."""

    records: RecordDoor
    runs: RunsFolder
    holds: Callable[[], Holds]
    runner: Callable[[], RunnerProcess]

    def deal(self, attempt: Attempt, asked: SharesAsked, canceled: threading.Event) -> Mapping[str, Any]:
        """Deal both secrets to the roster that the chain opened; the same deal when asked again."""
        with attempt.lock:
            if attempt.opened is None:
                self._open(attempt, asked, canceled)
            opened, _cohort = attempt.require_opened()
            if asked.mask_keys and set(asked.mask_keys) != set(opened.members):
                raise refused("digest_differs", "These are not the mask keys of the opened roster.")
            deal = _living(lambda: attempt.site.deal(opened))
        return {"deal": deal.public.to_wire(), "shares": [share.to_wire() for share in deal.shares]}

    def train(
        self, attempt: Attempt, asked: TrainAsked, weights: bytes, *, seconds: float, canceled: threading.Event
    ) -> bytes:
        """Train on the cohort that the chain accepted, mask, store and return the one vector of this attempt.

        Asked again it returns the same bytes and trains no more.

        Raises
        ------
        JobRefusedError
            `weights_differ`, `update_not_finite`, `deadline`, or the code's own refusal; nothing left the site.
        """
        with attempt.lock:
            _opened, cohort = attempt.require_opened()
            if asked.weights != attempt.weights:
                raise refused("weights_differ", "These are not the weights that this site committed to.")
            if attempt.masked is None:
                _living(lambda: attempt.site.receive(asked.deals, asked.shares))
                vector = self._vector(attempt, cohort, weights, time.monotonic() + seconds, canceled)
                masked = _living(lambda: attempt.site.mask(vector))
                self.runs.keep_masked(attempt.place, masked.data)
                attempt.masked = masked
            return attempt.masked.data

    def sign(self, attempt: Attempt, asked: SignAsked) -> Mapping[str, Any]:
        """Sign the attempt's one survivor set; `second_survivor_set` for any other."""
        with attempt.lock:
            attempt.require_opened()
            try:
                signature = _living(lambda: attempt.site.sign_survivors(asked.survivors))
            except AlreadyChosenError as error:
                raise refused("second_survivor_set", error.message) from error
            attempt.survivors = asked.survivors
        return {"signature": to_hex(signature)}

    def reveal(self, attempt: Attempt, asked: RevealAsked) -> Mapping[str, Any]:
        """Release one kind of share a dealer, against t signatures on the set that this site signed."""
        with attempt.lock:
            attempt.require_opened()
            if attempt.survivors is not None and asked.survivors != attempt.survivors:
                raise refused("second_survivor_set", "This site has signed another survivor set in this attempt.")
            place = attempt.place
            if not attempt.ledger.run_of(place.run).is_open_at(place.round, place.attempt):
                raise refused("attempt_unknown", "The attempt is not open any more; nothing of it is revealed.")
            released = _living(lambda: attempt.site.release_shares(asked.signatures))
        return dict(released.to_wire())

    def _open(self, attempt: Attempt, asked: SharesAsked, canceled: threading.Event) -> None:
        """Read the roster from the site's own node, and with it which of its commitments was accepted."""
        ledger, place = attempt.ledger, attempt.place
        opening = patiently(lambda: require_opening(ledger, place, first_block=attempt.first_block), canceled)
        self.holds().release(ledger.consortium.id, place.text)
        accepted = opening.commitments.get(ledger.organization)
        known = {one.manifest.cohort_root(): one for one in attempt.commitments}
        cohort = None if accepted is None else known.get(accepted["cohortRoot"])
        if cohort is None:
            raise refused("attempt_unknown", "The chain opened the attempt without a commitment of this process.")
        if opening.weights != attempt.weights:
            raise refused("weights_differ", "The chain opened the attempt on other weights than were committed to.")
        opened = join_keys(ledger, place, attempt.plan, opening, asked.mask_keys)
        self.runs.keep_manifest(place, cohort.manifest)
        attempt.opened, attempt.cohort = opened, cohort

    def _vector(
        self, attempt: Attempt, cohort: CommittedCohort, weights: bytes, deadline: float, canceled: threading.Event
    ) -> RingVector:
        """Run the plan's code apart, and take nothing but a checked, clipped, quantized vector from it."""
        plan, place = attempt.plan, attempt.place
        ticket = Ticket(str(place.run), place.round, place.attempt, plan.code_digest)
        token = self.records.issue(ticket, attempt.table, cohort.records)
        rows = self.records.redeem(token, ticket)
        request = write_request(plan.training, weights, attempt.table.columns, rows)
        size = plan.training_plan.layout().size
        try:
            raw = self.runner().run(
                request, reply_bytes=8 * size, seconds=max(deadline - time.monotonic(), 0), canceled=canceled
            )
            return prepare_vector(plan.training_plan, plain_from_bytes(plan.training_plan, raw))
        except NotFiniteError as error:
            raise refused("update_not_finite", error.message) from error
        except CodeRefusedError as error:
            reason = "update_not_finite" if error.reason == "not_finite" else error.reason
            raise refused(reason, error.message) from error
        except RunnerStoppedError as error:
            raise refused("deadline", error.message) from error


def _living(answer: Callable[[], Any]) -> Any:
    """Return an answer of the attempt; `attempt_unknown` once its secrets are destroyed."""
    try:
        return answer()
    except SecretsDestroyedError as error:
        raise refused("attempt_unknown", error.message) from error
