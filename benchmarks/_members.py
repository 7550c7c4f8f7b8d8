"""A consortium on a real chain whose members' site keys are here, and what those members sign."""

import secrets
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from consent.services.anchoring import SignedEpoch, SignedRevocation
    from contracts.interface import Chain
    from contracts.models import OutboxTransaction
    from contracts.relay import Relay

# A whole list of 64 takes another two million gas at the founding, and changes nothing of what is measured.
MOST_VALIDATORS = 4
# The registry's creation takes 34.5 million gas with 100 founders. A real founding of more than about 85 is refused,
# and the others are voted in (see docs/scale.md).
FOUNDING_GAS = 55_000_000
# So much may a site's clock differ from the chain's, which was hurried while it was founded.
TOLERANCE_SECONDS = 3_600
_RULE: dict[str, Any] = {
    "quorum_bps": 5_000,
    "threshold_bps": 5_001,
    "period_seconds": 60,
    "minimum_votes": 1,
    "exclude_author": False,
}


@dataclass
class Member:
    """An organization with its site key; it counts its own acts, as its agent does."""

    organization_id: uuid.UUID
    key: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    seq: int = 0
    # The log of its own that it has anchored, and how long that log is.
    log: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    size: int = 0

    @property
    def name(self) -> bytes:
        from consortium.kernel.identifiers import uuid_to_bytes32

        return uuid_to_bytes32(self.organization_id)

    @property
    def address(self) -> str:
        from consortium.kernel.secp256k1 import address_of

        return address_of(self.key)


@dataclass
class Consortium:
    """Members and their contracts; every signature is by the key that the registry holds."""

    consortium_id: uuid.UUID
    chain_id: int
    members: Sequence[Member]
    contracts: dict[str, str] = field(default_factory=dict)

    def epoch(self, member: Member) -> "SignedEpoch":
        """The member's first epoch, as of now."""
        from consent.services.anchoring import SignedEpoch

        member.seq += 1
        said: dict[str, Any] = {
            "epoch": 1,
            "root": secrets.token_bytes(32),
            "band": 1_000,
            "seq": member.seq,
            "asOf": int(time.time()),
        }
        signature = self._sign(member, "ConsentAnchor", "AnchorEpoch", {"organization": member.name} | said)
        as_of = said.pop("asOf")
        return SignedEpoch(consortium_id=self.consortium_id, as_of=as_of, signature=signature, **said)

    def revocation(self, member: Member) -> "SignedRevocation":
        """The member's next act: one patient has withdrawn."""
        from consent.services.anchoring import SignedRevocation

        member.seq += 1
        said: dict[str, Any] = {"epoch": 1, "seq": member.seq, "subjects": [secrets.token_bytes(32)]}
        signature = self._sign(member, "ConsentAnchor", "RevokeConsents", {"organization": member.name} | said)
        return SignedRevocation(consortium_id=self.consortium_id, signature=signature, **said)

    def checkpoint(self, member: Member) -> "OutboxTransaction":
        """A row that anchors the member's own log, grown by one, with its own co-signature."""
        from contracts.models import OutboxTransaction
        from contracts.values import to_json

        member.size += 1
        said = {"log": member.log, "size": member.size, "root": secrets.token_bytes(32)}
        signature = self._sign(member, "AuditAnchor", "Checkpoint", said)
        witnesses = [{"organization": member.name, "signature": signature}]
        return OutboxTransaction(
            consortium_id=self.consortium_id,
            contract="AuditAnchor",
            function="anchor",
            arguments=[to_json(value) for value in (*said.values(), witnesses)],
            idempotency_key=f"bench:{member.log.hex()}:{member.size}",
        )

    def _sign(self, member: Member, contract: str, primary: str, message: dict[str, Any]) -> bytes:
        from consortium.kernel.eip712 import Domain, typed_hash
        from consortium.kernel.secp256k1 import sign_digest

        domain = Domain(contract, self.chain_id, self.contracts[contract])
        return sign_digest(typed_hash(domain, primary, message), member.key)


def found(chain: "Chain", relay: "Relay", number: int) -> Consortium:
    """Put the contracts of a consortium of so many members on the chain; call as the system."""
    from consortium.membership import models
    from contracts.deployment import deploy_consortium

    row = models.Consortium.objects.create(name=f"Of {number}", slug=f"of-{number}", chain_id=chain.chain_id)
    members = []
    for index in range(number):
        slug = f"of-{number}-{index}"
        organization = models.Organization.objects.create(name=slug, slug=slug)
        models.Membership.objects.create(consortium=row, organization=organization)
        members.append(Member(organization.pk))
    with patch("contracts.sending.trials.MAX_TRANSACTION_GAS", FOUNDING_GAS):
        made = deploy_consortium(chain, relay, _founding(row.pk, members))
    contracts = {deployment.name: deployment.address for deployment in made}
    return Consortium(row.pk, chain.chain_id, members, contracts)


def _founding(consortium_id: uuid.UUID, members: Sequence[Member]) -> Any:
    from contracts.founding import DecisionRule, Founding

    parameters = {
        **{"witnessQuorum": 1, "minimumValidators": 1, "commitmentMaxAgeBlocks": 20},
        **{"asOfToleranceSeconds": TOLERANCE_SECONDS, "maxAbandonedAttempts": 5, "admissionIntervalSeconds": 0},
    }
    return Founding(
        consortium_id=consortium_id,
        founders=[_founder(member, index < MOST_VALIDATORS) for index, member in enumerate(members)],
        rules=[DecisionRule(**_RULE)] * 4,
        parameters=parameters,
        policy=secrets.token_bytes(32),
        runners=[secrets.token_bytes(32)],
        voting_delay_seconds=1,
        voting_period_seconds=30,
        timelock_delay_seconds=1,
        minimum_validators=1,
    )


def _founder(member: Member, validates: bool) -> Any:
    from consortium.kernel.secp256k1 import address_of
    from contracts.founding import Founder

    vote, node = (address_of(secrets.token_bytes(32)) for _ in range(2))
    profile = secrets.token_bytes(32)
    return Founder(member.organization_id, vote, member.address, profile, node if validates else None)
