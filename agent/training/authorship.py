"""`register` and `cancel`: what the plan's author signs of a run, after a look at its own node."""

import uuid
from collections.abc import Mapping
from typing import Any

from agent.training.errors import NotYetError, refused
from agent.training.ledger import Ledger
from consortium.kernel.digests import digest_to_bytes32
from consortium.kernel.identifiers import to_hex, uuid_to_bytes32
from training.federated.wire import read_hex, read_object, read_uuid

MODELS = "ModelRegistry"


def register_candidate(ledger: Ledger, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Sign the registration of a completed run's last weights, of a plan of this member alone."""
    fields = read_object(payload, ("run", "model", "card"), what="register")
    run, model, card = read_uuid(fields["run"], what="run"), str(fields["model"]), str(fields["card"])
    is_final, author = ledger.completion(run, digest_to_bytes32(model))
    if author not in (uuid_to_bytes32(ledger.organization), bytes(32)):
        raise refused("not_author", "The run is of another member's plan.")
    if not is_final:
        raise NotYetError("This site's node does not show the run completed with these weights.")
    message: dict[str, int | bytes] = {
        "model": digest_to_bytes32(model),
        "run": uuid_to_bytes32(run),
        "card": digest_to_bytes32(card),
    }
    return {"signature": to_hex(ledger.sign_for(MODELS, "RegisterCandidate", message))}


def cancel_run(ledger: Ledger, payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Sign the end of a live run of this member's plan; the reason's digest is the platform's word."""
    fields = read_object(payload, ("run", "reason", "code"), what="cancel")
    run: uuid.UUID = read_uuid(fields["run"], what="run")
    reason = read_hex(fields["reason"], what="reason", size_bytes=32)
    found = ledger.run_of(run)
    if not found.is_live or found.author != uuid_to_bytes32(ledger.organization):
        raise refused("not_author", "The run is not a live one of this member's plans.")
    message: dict[str, int | bytes] = {"run": uuid_to_bytes32(run), "reason": reason}
    return {"signature": to_hex(ledger.sign("CancelRun", message))}
