"""What the ledger's events determine of runs, rounds, attempts and sites' parts, and what the coordinator does."""

from contracts.reading.read_models import CHAIN_BACKED, read_model
from training.models import Attempt, Round, Run, SitePart

_COORDINATOR = "the coordinator's"
_CLOCK = "our clock"


def _names(*columns: str) -> dict[str, str]:
    return {"created_at": _CLOCK} | dict.fromkeys(columns, "names the row")


def _said(sign: str, **values: str) -> dict[str, str]:
    """What columns held before the event that leaves this sign."""
    return {column: f"CASE WHEN {sign} THEN {value} ELSE {column} END" for column, value in values.items()}


def declare() -> None:
    """Declare them; called where the handlers are registered."""
    read_model(
        Run,
        before=CHAIN_BACKED | {"weights": "CASE chain_state WHEN 'confirmed' THEN '' ELSE weights END"},
        ours=_names("consortium_id", "organization_id")
        | dict.fromkeys(("plan_id", "plan_digest", "decision", "rounds", "backend"), "ordered by its author")
        | {"state": "the coordinator pauses and ends a run, the chain ends it too: whoever is first"}
        | dict.fromkeys(("fence", "lease_holder", "lease_until", "called_at", "faults"), _COORDINATOR)
        | dict.fromkeys(("failure_code", "failure_text", "ending_work"), _COORDINATOR)
        | dict.fromkeys(("started_at", "ended_at"), _CLOCK),
    )
    read_model(
        Round,
        before={"next_weights": "''", "closed_attempt": "NULL", "closed_block": "NULL"},
        ours=_names("consortium_id", "run_id", "number")
        | {"weights": "named by the coordinator when it announces", "metrics": _COORDINATOR, "closed_at": _CLOCK},
    )
    read_model(
        Attempt,
        before=_said("opened_block IS NOT NULL", roster="'[]'::jsonb", roster_digest="''", opened_block="NULL")
        | _said("state = 'closed'", state="'revealed'", aggregate="''", next_weights="''"),
        ours=_names("consortium_id", "run_id", "round_id", "number")
        | dict.fromkeys(("announcement", "weights", "survivors", "opened_secrets"), _COORDINATOR)
        | dict.fromkeys(("abandoned_reason", "abandoned_text"), "the coordinator knows a closer reason")
        | dict.fromkeys(("announced_at", "committed_at", "opened_at", "dealt_at", "collected_at"), _CLOCK)
        | dict.fromkeys(("signed_at", "released_at", "aggregated_at", "verified_at", "closed_at"), _CLOCK),
    )
    read_model(
        SitePart,
        before={"band": "NULL", "epoch": "NULL", "accepted_mask_keys": "''"},
        ours=_names("consortium_id", "attempt_id", "organization_id")
        | dict.fromkeys(("outcome", "step", "code", "text"), "the coordinator goes on where the ledger ends")
        | dict.fromkeys(("commitment", "commitment_signature", "mask_keys", "deal", "shares"), "the site's answer")
        | dict.fromkeys(("vector", "survivor_signature", "release", "result_signature"), "the site's answer"),
    )
