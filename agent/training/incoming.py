"""Which weights a round may start from: the initial ones, those closed last, or those about to be closed."""

import hashlib
import uuid

from agent.journal import Journal
from agent.training.errors import NotYetError, refused
from agent.training.ledger import Ledger, RunOnChain, RunStatus
from agent.training.payloads import Closing, CommitAsked, Place
from consortium.kernel.identifiers import to_hex, uuid_to_bytes32
from training.federated.errors import SignatureRefusedError
from training.federated.plan_document import PlanDocument
from training.federated.secagg.deals import SignedFields
from training.federated.secagg.verification import ROUND_RESULT


class Results:
    """The results that this site signed: one for each attempt, for ever."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def choose(self, ledger: Ledger, place: Place, aggregate: bytes, next_weights: bytes) -> None:
        """Record the attempt's result before it is signed; `AlreadyDecidedError` if another was."""
        value = f"{to_hex(aggregate)}/{to_hex(next_weights)}"
        self._journal.decide(_key(ledger, place), value, kind="round.result", run=str(place.run))

    def contradicts(self, ledger: Ledger, place: Place, closing: Closing) -> bool:
        """Whether this site itself computed something else in that attempt."""
        known = self._journal.decision(_key(ledger, place))
        return known not in (None, f"{to_hex(closing.aggregate)}/{to_hex(closing.next_weights)}")


def require_incoming(ledger: Ledger, run: RunOnChain, plan: PlanDocument, asked: CommitAsked, results: Results) -> None:
    """Refuse an attempt that is not the run's next one, or weights that it must not start from.

    Raises
    ------
    NotYetError
        If the node may only be behind.
    JobRefusedError
        With `weights_differ` or `attempt_unknown`.
    """
    place, closing = asked.place, asked.closing
    if run.next_place == (place.round, place.attempt) and not _is_open(run):
        expected = run.weights
    elif closing is not None and (place.round, place.attempt) == (closing.round + 1, 1):
        expected = _closing_weights(ledger, run, asked.place.run, closing, results)
    elif (place.round, place.attempt) > (run.round, run.attempt):
        raise NotYetError("The node does not show yet that the attempt before this one has ended.")
    else:
        raise refused("attempt_unknown", "The attempt is over, or open, on this site's node.")
    if run.status is RunStatus.PLANNED and expected != _initial(place.run, plan):
        raise refused("weights_differ", "The run's initial weights do not follow from its id.")
    if asked.weights != expected:
        raise refused("weights_differ", "These are not the weights that the last round was closed with.")


def _is_open(run: RunOnChain) -> bool:
    return run.is_open_at(run.round, run.attempt)


def _closing_weights(ledger: Ledger, run: RunOnChain, identity: uuid.UUID, closing: Closing, results: Results) -> bytes:
    """Return the weights that the closing names, if a quorum of its roster signed them and nobody here knows better."""
    if not run.is_open_at(closing.round, closing.attempt):
        raise NotYetError("The node does not show the attempt that is said to be closed next.")
    roster = ledger.roster_of(identity)
    survivors, terms = closing.survivors, run.terms
    if survivors >> len(roster) or survivors.bit_count() < terms["threshold"]:
        raise refused("weights_differ", "The closing names survivors that the roster does not have, or too few.")
    if results.contradicts(ledger, Place(identity, closing.round, closing.attempt), closing):
        raise refused("weights_differ", "This site computed another result of that round.")
    signers = [one for one in closing.signatures if one in roster and ledger.is_active(one)]
    fields = _result_fields(identity, closing)
    try:
        for organization in signers:
            ledger.verify(organization, ROUND_RESULT, fields, closing.signatures[organization])
    except SignatureRefusedError as error:
        raise refused("weights_differ", error.message) from error
    if len(signers) < terms["verifierQuorum"]:
        raise refused("weights_differ", "Fewer verifiers than the plan's quorum signed the round's result.")
    return closing.next_weights


def _result_fields(run: uuid.UUID, closing: Closing) -> SignedFields:
    return {
        "run": uuid_to_bytes32(run),
        "round": closing.round,
        "attempt": closing.attempt,
        "survivors": closing.survivors,
        "maskedDigests": closing.masked_digests,
        "aggregate": closing.aggregate,
        "nextWeights": closing.next_weights,
    }


def _initial(run: uuid.UUID, plan: PlanDocument) -> bytes:
    return hashlib.sha256(plan.training_plan.initial_weights(run)).digest()


def _key(ledger: Ledger, place: Place) -> str:
    return f"result:{ledger.consortium.chain_id}:{ledger.address}:{place.text}"
