"""An attempt as this site's own node shows it opened, joined with the keys that came over the platform."""

from collections.abc import Sequence

from agent.training.errors import NotYetError, refused
from agent.training.ledger import Ledger, Opening
from agent.training.payloads import Place
from training.federated.errors import KeyAgreementError, ParameterBoundError
from training.federated.plan_document import PlanDocument
from training.federated.secagg.mask_keys import MaskKeys
from training.federated.secagg.opened import OpenedAttempt, open_attempt
from training.federated.secagg.parameters import SecureAggregationParameters


def require_opening(ledger: Ledger, place: Place, *, first_block: int | None = None) -> Opening:
    """Return what opened the attempt; `NotYetError` while the node does not show it."""
    found = ledger.opening(place, first_block=first_block)
    if found is None:
        raise NotYetError("This site's node does not show the attempt opened.")
    return found


def join_keys(
    ledger: Ledger, place: Place, plan: PlanDocument, opening: Opening, keys: Sequence[MaskKeys]
) -> OpenedAttempt:
    """Return the opened attempt.

    Raises
    ------
    JobRefusedError
        `bound_broken` if n, t and c of the opened roster do not keep single updates closed; `digest_differs` if a
        key is not the one that its owner committed to.
    """
    try:
        parameters = SecureAggregationParameters(
            n=len(opening.commitments),
            t=plan.terms.threshold,
            c=plan.terms.colluders,
            ring_bits=plan.training_plan.ring_bits,
        )
        return open_attempt(
            context=ledger.context(place),
            parameters=parameters,
            weights=opening.weights,
            committed=[(member, commitment["maskKeys"]) for member, commitment in opening.commitments.items()],
            keys=keys,
        )
    except ParameterBoundError as error:
        raise refused("bound_broken", error.message) from error
    except KeyAgreementError as error:
        raise refused("digest_differs", error.message) from error
