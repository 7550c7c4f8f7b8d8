"""What the member's keys may sign: types, contracts, for whom, how often; asked before every signature."""

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from agent.errors import PolicyRefusedError
from agent.guards import KillSwitch, Pins
from agent.keystore import KeyPurpose
from agent.people import Person, Role
from agent.signing.rates import Rates
from agent.signing.settings import Limits
from consortium.kernel.eip712 import AGENT_DOMAIN, DOMAIN_OF, Domain
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.identifiers import uuid_to_bytes32
from consortium.kernel.secp256k1 import checksum_address

# The key that the contracts check for each type; a type that is not here is never signed.
KEY_OF: Mapping[str, KeyPurpose] = MappingProxyType(
    {
        **dict.fromkeys(("RotateKey", "ProposeAct", "Ballot", "Veto", "OpenDecision", "CastBallot"), KeyPurpose.VOTE),
        **dict.fromkeys(("AnchorEpoch", "RevokeConsents", "Checkpoint", "AgentRequest"), KeyPurpose.SITE),
        **dict.fromkeys(("Commitment", "RoundResult", "SurvivorSet", "ShareDeal"), KeyPurpose.SITE),
        **dict.fromkeys(("CancelRun", "RegisterCandidate"), KeyPurpose.SITE),
    }
)
# What the kill switch stops. Votes, consents, withdrawals and the channel itself go on.
WORK = frozenset({"Commitment", "RoundResult", "SurvivorSet", "ShareDeal", "RegisterCandidate"})


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """A typed message to be signed, for which consortium, and who approved it (votes only)."""

    primary: str
    domain: Domain
    message: Mapping[str, Any]
    consortium: uuid.UUID | None = None
    person: Person | None = None

    @property
    def purpose(self) -> KeyPurpose | None:
        """The key it takes; None for a type that no key of ours signs."""
        return KEY_OF.get(self.primary)


@dataclass(frozen=True, slots=True)
class KeyRules:
    """What one key may sign at most: the member's count a minute, and what its table in site.toml narrows it to."""

    signatures_per_minute: int
    limits: Limits = field(default_factory=Limits)

    @property
    def most_a_minute(self) -> int:
        """The lower of the two counts."""
        return min(self.signatures_per_minute, self.limits.signatures_per_minute or self.signatures_per_minute)


class SigningPolicy:
    """The member's rules, held to its pins, its switch and a count of signatures a minute."""

    def __init__(
        self,
        *,
        organization: uuid.UUID,
        chain_id: int,
        pins: Pins,
        switch: KillSwitch,
        rules_of: Callable[[KeyPurpose], KeyRules],
        rates: Rates,
    ) -> None:
        self._organization = uuid_to_bytes32(organization)
        self._chain_id = chain_id
        self._pins = pins
        self._switch = switch
        self._rules_of = rules_of
        self._rates = rates

    @contextmanager
    def admit(self, request: SigningRequest) -> Iterator[KeyPurpose]:
        """Give the key that may sign the request, counted from here until the journal has the signature.

        Raises
        ------
        PolicyRefusedError
            With `reason` unknown_type, type_not_allowed, wrong_chain, unknown_contract, contract_not_allowed,
            other_organization, no_voter, work_stopped or too_many.
        """
        if (purpose := request.purpose) is None:
            raise _refusal("unknown_type", f"This site signs no {request.primary}.")
        rules = self._rules_of(purpose)
        self._require_contract(request)
        _require_within(request, rules.limits)
        self._require_ours(request.message)
        if purpose is KeyPurpose.VOTE and (request.person is None or Role.VOTER not in request.person.roles):
            raise _refusal("no_voter", "A vote key signs only what a voter of this member approved.")
        if request.primary in WORK and self._switch.is_stopped:
            raise _refusal("work_stopped", "Work is stopped at this site. Resume it on the member page.")
        with self._rates.reserved(purpose, rules.most_a_minute) as is_free:
            if not is_free:
                most = rules.most_a_minute
                raise _refusal("too_many", f"More than {most} signatures a minute. Wait, and find out why.")
            yield purpose

    def _require_contract(self, request: SigningRequest) -> None:
        domain = request.domain
        if domain.chain_id != self._chain_id:
            raise _refusal("wrong_chain", "The message is for another chain.")
        if request.primary == "AgentRequest":
            known = domain.name == AGENT_DOMAIN and domain.contract is None
        else:
            known = domain.name == DOMAIN_OF[request.primary] and self._is_pinned(request)
        if not known:
            raise _refusal("unknown_contract", "The message is for a contract that this site has not checked.")

    def _is_pinned(self, request: SigningRequest) -> bool:
        if request.consortium is None or request.domain.contract is None:
            return False
        try:
            given = checksum_address(request.domain.contract)
        except InvalidInputError:
            return False
        return self._pins.of(request.consortium).get(request.domain.name) == given

    def _require_ours(self, message: Mapping[str, Any]) -> None:
        for speaker in ("organization", "author"):
            if message.get(speaker, self._organization) != self._organization:
                raise _refusal("other_organization", "The message speaks for another organization.")


def require_own_key(request: SigningRequest, address: str, held: Callable[[str], bool]) -> None:
    """Hold a ballot's voter to the key that signs it, and a rotation's new key to those that this site holds.

    Raises
    ------
    PolicyRefusedError
        With `reason` other_voter or foreign_key.
    """
    if request.message.get("voter", address) != address:
        raise _refusal("other_voter", "The ballot names another voter than the key that the registry lists.")
    if request.primary == "RotateKey" and not held(request.message["newKey"]):
        raise _refusal("foreign_key", "A rotation leads only to a key that this site holds.")


def _require_within(request: SigningRequest, limits: Limits) -> None:
    if limits.types is not None and request.primary not in limits.types:
        raise _refusal("type_not_allowed", f"site.toml does not let this key sign {request.primary}.")
    contract = request.domain.contract
    if limits.contracts is not None and contract is not None and checksum_address(contract) not in limits.contracts:
        raise _refusal("contract_not_allowed", "site.toml does not let this key sign for that contract.")


def _refusal(reason: str, message: str) -> PolicyRefusedError:
    return PolicyRefusedError(message, reason=reason)
