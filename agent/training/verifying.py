"""`verify`: a round recomputed bit for bit from its public messages; nothing of the attempt is needed for it."""

import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from agent.training.errors import refused
from agent.training.incoming import Results
from agent.training.ledger import Ledger, Opening
from agent.training.opening import join_keys, require_opening
from agent.training.patience import patiently
from agent.training.payloads import Place, VerifyAsked
from agent.training.shelf import Shelf
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.identifiers import to_hex
from training.federated.errors import SignatureRefusedError
from training.federated.plan_document import PlanDocument
from training.federated.secagg.masked_vector import MaskedVector
from training.federated.secagg.opened import OpenedAttempt
from training.federated.secagg.survivors import SURVIVOR_SET
from training.federated.secagg.verification import ROUND_RESULT, RoundResult, verify_round
from training.federated.strategies.federated_averaging import strategy_step


@dataclass(frozen=True)
class Verifying:
    """Verifies for one member."""

    results: Results
    shelf: Shelf

    def verify(
        self,
        ledger: Ledger,
        plan: PlanDocument,
        plan_digest: str,
        asked: VerifyAsked,
        *,
        weights: bytes,
        vectors: Mapping[uuid.UUID, bytes],
        canceled: threading.Event,
        first_block: int | None = None,
    ) -> Mapping[str, Any]:
        """Recompute sum and step and sign the result, once for an attempt.

        Parameters
        ----------
        first_block : int, optional
            The head when this site was first asked to commit: the opening is looked for from there on first.

        Raises
        ------
        JobRefusedError
            `weights_differ` or `digest_differs` if weights or plan are not those the chain opened with.
        VerificationError, RangeCheckError, SignatureRefusedError
            If something of the result does not hold; it is not signed.
        """
        opening = patiently(lambda: _opening(ledger, asked.place, first_block), canceled)
        if opening.plan != digest_to_bytes32(plan_digest):
            raise refused("digest_differs", "The round was opened for another plan.")
        if opening.weights != asked.weights:
            raise refused("weights_differ", "The round was opened on other weights.")
        opened = join_keys(ledger, asked.place, plan, opening, asked.mask_keys)
        self._require_agreed(ledger, opened, asked)
        claimed = RoundResult(asked.survivors, asked.aggregate, asked.next_weights)
        next_weights = verify_round(
            opened=opened,
            claimed=claimed,
            masked={member: MaskedVector(member, data) for member, data in vectors.items()},
            secrets=asked.opened,
            size=plan.training_plan.layout().size,
            step=lambda total, count: strategy_step(weights, total, plan.training_plan, survivors=count),
        )
        self.results.choose(ledger, asked.place, claimed.aggregate, claimed.next_weights)
        signature = ledger.sign(ROUND_RESULT, claimed.fields(opened))
        self.shelf.put(next_weights)
        return {"signature": to_hex(signature)}

    @staticmethod
    def _require_agreed(ledger: Ledger, opened: OpenedAttempt, asked: VerifyAsked) -> None:
        """Refuse a survivor set that fewer than t of its members signed."""
        members = asked.survivors.members(opened)
        if len(asked.signatures) < opened.parameters.t or not set(members).issuperset(asked.signatures):
            raise SignatureRefusedError(f"Fewer than t={opened.parameters.t} survivors signed the survivor set.")
        fields = asked.survivors.fields(opened)
        for organization, signature in asked.signatures.items():
            ledger.verify(organization, SURVIVOR_SET, fields, signature)


def _opening(ledger: Ledger, place: Place, first_block: int | None) -> Opening:
    """Look where the opening should be; a development chain that came back shorter may have it earlier."""
    found = None if first_block is None else ledger.opening(place, first_block=first_block)
    return found or require_opening(ledger, place)
