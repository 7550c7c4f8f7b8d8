"""An attempt as the chain opened it: who takes part, in which order, with which keys and weights."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from consortium.kernel.digests import keccak256
from consortium.kernel.identifiers import uuid_to_bytes32
from training.federated.errors import KeyAgreementError
from training.federated.secagg.context import AttemptContext
from training.federated.secagg.mask_keys import MaskKeys
from training.federated.secagg.parameters import SecureAggregationParameters


@dataclass(frozen=True, slots=True)
class OpenedAttempt:
    """What `RoundOpened` fixed. Make it with `open_attempt`, which checks the keys against the chain.

    Parameters
    ----------
    context : AttemptContext
    parameters : SecureAggregationParameters
        With n the number of members.
    weights : bytes
        SHA-256 of the canonical safetensors of the incoming weights, 32 bytes.
    members : tuple of MaskKeys
        In the order of the roster on the chain; bit i of a survivors bitmap is member i.
    """

    context: AttemptContext
    parameters: SecureAggregationParameters
    weights: bytes
    members: tuple[MaskKeys, ...]
    # Asked for with every share and signature of every member: worked out once.
    roster: tuple[uuid.UUID, ...] = field(init=False, repr=False, compare=False)
    _places: Mapping[uuid.UUID, int] = field(init=False, repr=False, compare=False)
    _roster_digest: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        roster = tuple(keys.organization for keys in self.members)
        object.__setattr__(self, "roster", roster)
        object.__setattr__(self, "_places", {organization: place for place, organization in enumerate(roster)})
        object.__setattr__(self, "_roster_digest", keccak256(b"".join(map(uuid_to_bytes32, roster))))

    def roster_digest(self) -> bytes:
        """Return keccak-256 of the concatenated 32-byte organization ids in the roster's order."""
        return self._roster_digest

    def index(self, organization: uuid.UUID) -> int:
        """Return the organization's place on the roster, from 0; `KeyAgreementError` if it has none."""
        try:
            return self._places[organization]
        except KeyError as error:
            raise KeyAgreementError(f"{organization} is not on this attempt's roster.") from error

    def keys_of(self, organization: uuid.UUID) -> MaskKeys:
        return self.members[self.index(organization)]

    def ensure_members(self, organizations: Sequence[uuid.UUID]) -> None:
        """Refuse strangers and repetitions."""
        for organization in organizations:
            self.index(organization)
        if len(set(organizations)) != len(organizations):
            raise KeyAgreementError("An organization is named twice.")

    def ensure_own(self, context: AttemptContext, weights: bytes, keys: MaskKeys) -> None:
        """Refuse an attempt that is not the one a site committed to, with the keys and weights it committed to."""
        if self.context != context or self.weights != weights:
            raise KeyAgreementError("The roster is of another attempt or of other weights than this site committed to.")
        if self.keys_of(keys.organization) != keys:
            raise KeyAgreementError("The roster holds other mask keys for this site than its own.")

    def in_order(self, organizations: Mapping[uuid.UUID, object] | frozenset[uuid.UUID]) -> tuple[uuid.UUID, ...]:
        """Return those of the roster that are named, in the roster's order."""
        return tuple(organization for organization in self.roster if organization in organizations)


def open_attempt(
    *,
    context: AttemptContext,
    parameters: SecureAggregationParameters,
    weights: bytes,
    committed: Sequence[tuple[uuid.UUID, bytes]],
    keys: Sequence[MaskKeys],
) -> OpenedAttempt:
    """Join the roster read from the chain with the keys that came over the platform.

    Parameters
    ----------
    committed : sequence of (organization, `maskKeys` of its accepted commitment)
        In the roster's order, read through one's own node.
    keys : sequence of MaskKeys
        From whomever; each must hash to what its owner committed to.

    Raises
    ------
    KeyAgreementError
        If a key is missing, foreign, repeated, or not the one committed to.
    """
    roster = [organization for organization, _ in committed]
    by_organization = {entry.organization: entry for entry in keys}
    if len(weights) != 32 or len(roster) != parameters.n or len(keys) != parameters.n:
        raise KeyAgreementError(f"An attempt of n={parameters.n} needs that many members and a weights digest.")
    if set(by_organization) != set(roster):
        raise KeyAgreementError("The mask keys and the roster on the chain name different organizations.")
    for organization, digest in committed:
        if by_organization[organization].digest(context) != digest:
            raise KeyAgreementError(f"The mask keys of {organization} are not those of its commitment on the chain.")
    members = tuple(by_organization[organization] for organization in roster)
    public = {key for entry in members for key in (entry.transport_key, entry.mask_key)}
    if len(public) != 2 * len(members):
        raise KeyAgreementError("Two mask keys of the roster are equal; somebody copied a key.")
    return OpenedAttempt(context, parameters, bytes(weights), members)
