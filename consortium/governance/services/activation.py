"""Activating a validator: only of a node that is up. The platform looks before it relays, each voter's agent again."""

from uuid import UUID

from consortium.governance.domain.kinds import Contract
from consortium.governance.errors import UnknownKindError
from contracts.chain import chain_from_settings
from contracts.health import PROBE_SECONDS
from contracts.network.watching import is_development, require_seen_in_sync

ACTIVATION = "activate_validator"
WORD_BYTES = 32


def require_node_in_sync(contract: str, kind: str, *, consortium_id: UUID, arguments: bytes) -> None:
    """Refuse a proposal to activate a validator that our nodes do not see in sync; others pass.

    Raises
    ------
    NodeNotInSyncError
        Saying what was seen.
    UnknownKindError
        If the act does not name one organization.
    """
    if (contract, kind) != (Contract.GOVERNOR, ACTIVATION) or is_development():
        return
    if len(arguments) != WORD_BYTES:
        raise UnknownKindError("An act that activates a validator names one organization, and nothing else.")
    require_seen_in_sync(chain_from_settings(timeout_seconds=PROBE_SECONDS), consortium_id, arguments)
