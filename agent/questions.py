"""What is being voted on, read from the member's own node and from nowhere else."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from agent.acts import ACTS
from agent.chain import Chain, Consortium
from agent.clock import from_seconds
from agent.errors import ContradictionError, NotOpenError
from agent.facts import fact, percent, value_text
from agent.names import NameBook
from agent.wording import gettext as _
from consortium.kernel.digests import keccak256
from consortium.kernel.identifiers import to_hex, uuid_to_bytes32
from contracts.events import BlockHeader

GOVERNOR, BOARD = "ConsortiumGovernor", "DecisionBoard"
# OpenZeppelin's ProposalState and the board's DecisionState.
_PENDING, _ACTIVE, _BOARD_OPEN = 0, 1, 1
_MAX_NUMBERED_PROPOSALS = 10_000


class Phase(StrEnum):
    """Whether a ballot is taken now."""

    NOT_YET = "not_yet"
    OPEN = "open"
    CLOSED = "closed"


DECISIONS: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        1: ("ApprovePlan", _("approving the training plan %(subject)s")),
        2: ("ReleaseModel", _("releasing the model %(subject)s for use")),
        3: ("RecallModel", _("recalling the model %(subject)s")),
        4: ("GrantLicence", _("granting the license %(subject)s")),
    }
)


@dataclass(frozen=True, slots=True)
class Tally:
    """Ballots on the chain so far, and what passing takes."""

    yes: int
    no: int
    abstain: int
    needed: str


@dataclass(frozen=True, slots=True)
class Question:
    """A proposal as it stands at one block.

    `proposal_id` is a number at the governor and 32 bytes at the board; `subject` is what the decision is on, or
    the organization that the act concerns (empty where it concerns none); `profile` is the digest of an applicant's;
    `owners` are the members whose own yes a decision needs.
    """

    consortium: Consortium
    contract: str
    proposal_id: int | bytes
    kind: str
    subject: bytes
    phrase: str
    author: bytes
    facts: tuple[tuple[str, str], ...]
    opens_at: datetime
    closes_at: datetime
    phase: Phase
    tally: Tally
    has_answered: bool
    is_eligible: bool
    description_digest: bytes
    author_acts: int
    block: BlockHeader
    profile: bytes = b""
    owners: tuple[bytes, ...] = ()

    @property
    def id_text(self) -> str:
        """The id as the platform writes it."""
        return str(self.proposal_id) if isinstance(self.proposal_id, int) else to_hex(self.proposal_id)

    def description_is(self, text: str) -> bool:
        """Tell whether a text is the one that the proposer signed.

        The governor keeps a hash of the text followed by the proposer and its count of proposals.
        """
        if not any(self.description_digest):
            return False
        return any(
            keccak256(f"{text} [{to_hex(self.author)}/{count}]".encode()) == self.description_digest
            for count in range(min(self.author_acts, _MAX_NUMBERED_PROPOSALS))
        )


class QuestionReader:
    """Reads proposals and decisions for one member."""

    def __init__(self, chain: Chain, *, organization: uuid.UUID, names: NameBook) -> None:
        self._chain = chain
        self._organization = uuid_to_bytes32(organization)
        self.organization = organization
        self.names = names

    def read(self, consortium: Consortium, contract: str, proposal_id: str) -> Question:
        """Return what the chain holds under the id.

        Raises
        ------
        NotOpenError
            If the chain knows no such proposal.
        ContradictionError
            If the act that the chain would execute is not the one that its kind says.
        """
        if contract == GOVERNOR and proposal_id.isascii() and proposal_id.isdecimal():
            return self._act(consortium, int(proposal_id))
        if contract == BOARD and len(proposal_id) == 66 and proposal_id.startswith("0x"):
            return self._decision(consortium, _bytes32(proposal_id))
        raise NotOpenError("The platform names a proposal in a form that no contract of ours has.")

    def _act(self, consortium: Consortium, proposal: int) -> Question:
        block = self._chain.head()
        governor, at = consortium.reference(GOVERNOR), block.number
        ask = self._chain.call
        act = ask(governor, "actOf", proposal, block=at)
        if act["kind"] not in ACTS:
            raise NotOpenError("Your own node knows no such proposal. Wait for it, or ask the other members.")
        arguments, description = self._arguments(consortium, proposal, act, at)
        snapshot, deadline = (
            ask(governor, view, proposal, block=at) for view in ("proposalSnapshot", "proposalDeadline")
        )
        no, yes, abstain = ask(governor, "proposalVotes", proposal, block=at)
        state = ask(governor, "state", proposal, block=at)
        needed = ask(governor, "quorum", min(snapshot, block.time - 1), block=at)
        shown = {name: value_text(name, value, self.names.name) for name, value in arguments.items()}
        return Question(
            consortium=consortium,
            contract=GOVERNOR,
            proposal_id=proposal,
            kind=ACTS[act["kind"]].name,
            subject=arguments.get("id", b""),
            phrase=ACTS[act["kind"]].phrase % shown,
            author=act["organization"],
            facts=tuple(fact(name, value, self.names.name) for name, value in arguments.items()),
            opens_at=from_seconds(snapshot),
            closes_at=from_seconds(deadline),
            phase={_PENDING: Phase.NOT_YET, _ACTIVE: Phase.OPEN}.get(state, Phase.CLOSED),
            tally=Tally(yes, no, abstain, _("%d yes") % needed),
            has_answered=ask(governor, "hasOrganizationVoted", proposal, self._organization, block=at),
            is_eligible=self._was_active(consortium, snapshot, block),
            description_digest=description,
            author_acts=ask(governor, "nonceOf", act["organization"], block=at),
            block=block,
            profile=arguments.get("profile", b""),
        )

    def _arguments(
        self, consortium: Consortium, proposal: int, act: Mapping[str, Any], at: int
    ) -> tuple[dict[str, Any], bytes]:
        """Rebuild the act from what would be executed, and hold it to the kind and digest that were signed."""
        governor, form = consortium.reference(GOVERNOR), ACTS[act["kind"]]
        targets, values, calls, description = self._chain.call(governor, "proposalDetails", proposal, block=at)
        target, selector, _length = self._chain.call(governor, "routeOf", act["kind"], block=at)
        whole = (list(targets), list(values), len(calls)) == ([target], [0], 1)
        if (
            not whole
            or bytes(calls[0][:4]) != bytes(selector)
            or keccak256(bytes(calls[0][4:])) != act["argumentsDigest"]
        ):
            raise ContradictionError(
                "The chain would execute something else than the proposal's kind says. Do not vote."
            )
        if consortium.contracts.get(form.contract) != target:
            raise ContradictionError("The act is aimed at a contract that this site has not checked. Do not vote.")
        return form.decode(bytes(calls[0])), bytes(description)

    def _decision(self, consortium: Consortium, decision: bytes) -> Question:
        block = self._chain.head()
        board, at = consortium.reference(BOARD), block.number
        found = self._chain.call(board, "decision", decision, block=at)
        if found["kind"] not in DECISIONS:
            raise NotOpenError("Your own node knows no such decision. Wait for it, or ask the other members.")
        kind, phrase = DECISIONS[found["kind"]]
        owners = self._chain.call(board, "ownersOf", decision, block=at)
        ballot = self._chain.call(board, "ballotOf", decision, self._organization, block=at)
        rule = found["rule"]
        is_excluded = rule["excludeAuthor"] and found["author"] == self._organization
        is_open = found["state"] == _BOARD_OPEN and block.time < found["closesAt"]
        facts = {**{name: found[name] for name in ("subject", "policy", "base")}, "owners": list(owners), **rule}
        return Question(
            consortium=consortium,
            contract=BOARD,
            proposal_id=decision,
            kind=kind,
            subject=found["subject"],
            phrase=phrase % {"subject": to_hex(found["subject"])},
            author=found["author"],
            facts=tuple(fact(name, value, self.names.name) for name, value in facts.items()),
            opens_at=from_seconds(found["openedAt"]),
            closes_at=from_seconds(found["closesAt"]),
            phase=Phase.OPEN if is_open else Phase.CLOSED,
            tally=Tally(found["yes"], found["no"], found["abstain"], _needed(rule, found["base"])),
            has_answered=ballot != 0,
            is_eligible=not is_excluded and self._was_active(consortium, found["openedAt"] - 1, block),
            description_digest=b"",
            author_acts=0,
            block=block,
            owners=tuple(owners),
        )

    def _was_active(self, consortium: Consortium, timepoint: int, block: BlockHeader) -> bool:
        registry = consortium.reference("ConsortiumRegistry")
        if not self._chain.call(registry, "isActive", self._organization, block=block.number):
            return False
        # A snapshot in the future, or of this very second, cannot be asked for yet; being active now is what counts.
        if timepoint >= block.time:
            return True
        return bool(self._chain.call(registry, "wasActiveAt", self._organization, timepoint, block=block.number))


def _needed(rule: Mapping[str, Any], base: int) -> str:
    quorum = max(rule["minimumVotes"], -(-base * rule["quorumBps"] // 10_000))
    return _("%(quorum)d ballots, %(share)s of them yes") % {"quorum": quorum, "share": percent(rule["thresholdBps"])}


def _bytes32(text: str) -> bytes:
    try:
        return bytes.fromhex(text[2:])
    except ValueError as error:
        raise NotOpenError("The platform names a decision in a form that no contract of ours has.") from error
