"""What the member's keys may sign: types, contracts, for whom, how often; asked before every signature."""

import threading
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from agent.clock import Clock, now
from agent.errors import PolicyRefusedError
from agent.guards import KillSwitch, Pins
from agent.keystore import KeyPurpose
from agent.people import Person, Role
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
_WINDOW_SECONDS = 60.0


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


class SigningPolicy:
    """The member's rules, held to its pins, its switch and a count of signatures a minute."""

    def __init__(
        self,
        *,
        organization: uuid.UUID,
        chain_id: int,
        pins: Pins,
        switch: KillSwitch,
        signatures_per_minute: Callable[[], int],
        clock: Clock = now,
    ) -> None:
        self._organization = uuid_to_bytes32(organization)
        self._chain_id = chain_id
        self._pins = pins
        self._switch = switch
        self._limit = signatures_per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._recent: dict[KeyPurpose, deque[float]] = {purpose: deque() for purpose in KeyPurpose}

    def check(self, request: SigningRequest) -> KeyPurpose:
        """Return the key that may sign the request, and count it.

        Raises
        ------
        PolicyRefusedError
            With `reason` unknown_type, wrong_chain, unknown_contract, other_organization, no_voter,
            work_stopped or too_many.
        """
        if (purpose := request.purpose) is None:
            raise _refusal("unknown_type", f"This site signs no {request.primary}.")
        self._require_contract(request)
        self._require_ours(request.message)
        if purpose is KeyPurpose.VOTE and (request.person is None or Role.VOTER not in request.person.roles):
            raise _refusal("no_voter", "A vote key signs only what a voter of this member approved.")
        if request.primary in WORK and self._switch.is_stopped:
            raise _refusal("work_stopped", "Work is stopped at this site. Resume it on the member page.")
        self._count(purpose)
        return purpose

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
        for field in ("organization", "author"):
            if message.get(field, self._organization) != self._organization:
                raise _refusal("other_organization", "The message speaks for another organization.")

    def _count(self, purpose: KeyPurpose) -> None:
        moment = self._clock().timestamp()
        with self._lock:
            recent = self._recent[purpose]
            while recent and recent[0] <= moment - _WINDOW_SECONDS:
                recent.popleft()
            if len(recent) >= (limit := self._limit()):
                raise _refusal("too_many", f"More than {limit} signatures a minute. Wait, and find out why.")
            recent.append(moment)


def _refusal(reason: str, message: str) -> PolicyRefusedError:
    return PolicyRefusedError(message, reason=reason)
