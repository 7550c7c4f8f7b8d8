"""What a consortium is founded with: its first organizations and its numbers, as the contracts take them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from consortium.kernel.errors import ConsiliumError
from consortium.kernel.identifiers import uuid_to_bytes32

ZERO_ADDRESS = "0x" + "00" * 20


class FoundingError(ConsiliumError):
    """The contracts could not be put on the chain, or what stands there is not what was asked for."""

    code = "founding_failed"
    http_status = 409


@dataclass(frozen=True)
class Founder:
    """One of the first organizations; `profile` is a salted digest (32 bytes), `validator` its node or None."""

    organization_id: UUID
    vote_key: str
    site_key: str
    profile: bytes
    validator: str | None = None

    @property
    def admission(self) -> dict[str, Any]:
        """The registry's struct."""
        return {
            "id": uuid_to_bytes32(self.organization_id),
            "voteKey": self.vote_key,
            "siteKey": self.site_key,
            "validator": self.validator or ZERO_ADDRESS,
            "profile": self.profile,
        }


@dataclass(frozen=True)
class DecisionRule:
    """The numbers of one kind of decision; shares in hundredths of a percent, the period in seconds."""

    quorum_bps: int
    threshold_bps: int
    period_seconds: int
    minimum_votes: int
    exclude_author: bool

    @property
    def struct(self) -> dict[str, Any]:
        return {
            "quorumBps": self.quorum_bps,
            "thresholdBps": self.threshold_bps,
            "periodSeconds": self.period_seconds,
            "minimumVotes": self.minimum_votes,
            "excludeAuthor": self.exclude_author,
        }


@dataclass(frozen=True)
class Founding:
    """Everything that the contracts of a consortium start with.

    `rules` are those of ApprovePlan, ReleaseModel, RecallModel, GrantLicence, in this order;
    `parameters` is the registry's struct by its own names; `policy` a digest of 32 bytes; `runners` the
    digests (32 bytes each) of the runners that the founders accept, at most 16. `guardians` of them,
    `guardian_threshold` together, may veto in the timelock what was voted; none is a choice too.
    `source_address` names the ValidatorSource of a network whose genesis holds one, controlled by the
    relay; without it one is deployed, which refuses fewer than `minimum_validators`.
    """

    consortium_id: UUID
    founders: Sequence[Founder]
    rules: Sequence[DecisionRule]
    parameters: Mapping[str, int]
    policy: bytes
    runners: Sequence[bytes]
    voting_delay_seconds: int
    voting_period_seconds: int
    timelock_delay_seconds: int
    minimum_validators: int = 4
    guardians: Sequence[UUID] = ()
    guardian_threshold: int = 2
    source_address: str | None = None

    @property
    def validators(self) -> list[str]:
        """The founders' nodes, ascending as the chain wants them."""
        nodes = [founder.validator for founder in self.founders if founder.validator]
        return sorted(nodes, key=lambda address: int(address, 16))
