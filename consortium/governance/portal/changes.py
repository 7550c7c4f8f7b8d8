"""What a proposal changes, row by row: what stands now and what would stand after."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import ngettext_lazy

from consortium.governance.domain.tally import yes_needed_for_act
from consortium.governance.models import DecisionRule, GuardianRule, Proposal
from consortium.governance.portal.titles import organization_of
from consortium.kernel.digests import bytes32_to_digest
from consortium.kernel.errors import ConsiliumError
from consortium.kernel.identifiers import bytes32_to_uuid, from_hex
from consortium.membership.models import Membership, Organization
from contracts.artifacts import shipped
from contracts.rpc.codec import decode_values

REGISTRY = "ConsortiumRegistry"
# The function of each kind of act, as in ActRoutes.sol: the registry's, and below those of other contracts.
FUNCTIONS: Mapping[str, str] = {
    "admit": "admit",
    "suspend": "suspend",
    "reinstate": "reinstate",
    "remove": "remove",
    "activate_validator": "activateValidator",
    "deactivate_validator": "deactivateValidator",
    "set_policy": "setPolicy",
    "set_decision_rule": "setDecisionRule",
    "set_runner": "setRunner",
    "set_parameters": "setParameters",
    "replace_key": "replaceKey",
    "set_peer": "setPeer",
    "set_voting_delay": "setVotingDelay",
    "set_voting_period": "setVotingPeriod",
    "set_timelock_delay": "updateDelay",
    "set_guardian": "setGuardian",
    "set_validator_writer": "setWriter",
    "set_validator_controller": "setController",
}
_ELSEWHERE: Mapping[str, str] = {
    "set_voting_delay": "ConsortiumGovernor",
    "set_voting_period": "ConsortiumGovernor",
    "set_timelock_delay": "TimelockController",
    "set_guardian": "Guardian",
    "set_validator_writer": "ValidatorSource",
    "set_validator_controller": "ValidatorSource",
}
_UNITS = (
    (86_400, ngettext_lazy("%(n)d day", "%(n)d days", "n")),
    (3_600, ngettext_lazy("%(n)d hour", "%(n)d hours", "n")),
    (60, ngettext_lazy("%(n)d minute", "%(n)d minutes", "n")),
    (1, ngettext_lazy("%(n)d second", "%(n)d seconds", "n")),
)


@dataclass(frozen=True)
class Change:
    """One thing that changes; equal values mean that it stays, which is worth saying sometimes."""

    what: str
    now: str
    after: str
    note: str = ""

    @property
    def stays(self) -> bool:
        return self.now == self.after


@dataclass(frozen=True)
class Call:
    """The exact call of an act: its function and arguments as decoded, and the bytes as they stand on the chain."""

    name: str
    arguments: tuple[tuple[str, str], ...]
    targets: tuple[str, ...]
    calldatas: tuple[str, ...]


def changes_of(proposal: Proposal, names: Mapping[UUID, str]) -> list[Change]:
    """What the proposal would change, as the platform's rows have the present state."""
    about = _ABOUT.get(proposal.kind)
    return about(proposal, names) if about else []


def call_of(proposal: Proposal) -> Call | None:
    """The call that an act makes; None for a decision, which calls nothing."""
    if not proposal.is_act:
        return None
    given = tuple((name, _text(value)) for name, value in arguments_of(proposal).items())
    raw = proposal.call or {}
    name = f"{_contract(proposal)}.{FUNCTIONS[proposal.kind]}" if proposal.kind in FUNCTIONS else proposal.kind
    return Call(name, given, tuple(raw.get("targets", ())), tuple(raw.get("calldatas", ())))


def arguments_of(proposal: Proposal) -> dict[str, Any]:
    """The act's arguments by name; empty where these bytes are not of its function."""
    function = FUNCTIONS.get(proposal.kind)
    if function is None:
        return {}
    entry = next(e for e in shipped()[_contract(proposal)].entries("function") if e["name"] == function)
    try:
        values = decode_values(entry["inputs"], from_hex(proposal.arguments or "0x"))
    except ConsiliumError:
        return {}
    found: dict[str, Any] = {}
    for part, value in zip(entry["inputs"], values, strict=True):
        found |= value if isinstance(value, dict) else {part["name"]: value}
    return found


def _contract(proposal: Proposal) -> str:
    return _ELSEWHERE.get(proposal.kind, REGISTRY)


def _membership_change(after: int, status: str) -> Callable[[Proposal, Mapping[UUID, str]], list[Change]]:
    def rows(proposal: Proposal, names: Mapping[UUID, str]) -> list[Change]:
        active = Membership.objects.filter(consortium=proposal.consortium_id, status=Membership.Status.ACTIVE).count()
        about = organization_of(proposal)
        name = names.get(about, _("The organization")) if about else _("The organization")
        now = Membership.objects.filter(consortium=proposal.consortium_id, organization=about).first()
        then = active + after
        return [
            Change(_("Active members"), str(active), str(then)),
            Change(
                _("Yes votes a constitutional act needs"),
                _("%(needed)s of %(all)s") % {"needed": yes_needed_for_act(active), "all": active},
                _("%(needed)s of %(all)s") % {"needed": yes_needed_for_act(then), "all": then},
                _("two thirds of all active members"),
            ),
            Change(name, now.get_status_display() if now else _("Unknown here"), str(Membership.Status(status).label)),
            *(_admission() if proposal.kind == "admit" else []),
        ]

    return rows


def _admission() -> list[Change]:
    return [
        Change(_("Its keys in the registry"), _("None"), _("Vote key, site key")),
        Change(_("Its node as validator"), _("No"), _("No"), _("letting it write blocks is a proposal of its own")),
    ]


def _validator(now: str, after: str) -> Callable[[Proposal, Mapping[UUID, str]], list[Change]]:
    def rows(proposal: Proposal, names: Mapping[UUID, str]) -> list[Change]:
        about = organization_of(proposal)
        name = names.get(about, _("the organization")) if about else _("the organization")
        return [Change(_("The node of %(name)s writes blocks") % {"name": name}, _(now), _(after))]

    return rows


def _policy(proposal: Proposal, names: Mapping[UUID, str]) -> list[Change]:
    given = next((value for value in arguments_of(proposal).values() if isinstance(value, bytes)), None)
    after = bytes32_to_digest(given) if given else "-"
    return [Change(_("Policy"), proposal.consortium.policy_digest or _("None"), after)]


def _rule(proposal: Proposal, names: Mapping[UUID, str]) -> list[Change]:
    """The numbers of one kind of decision, as the registry's last event said them."""
    given = arguments_of(proposal)
    now = DecisionRule.objects.filter(consortium=proposal.consortium_id, kind=_kind(given.get("kind"))).first()
    pairs = (
        (_("Quorum, in hundredths of a percent"), "quorumBps", "quorum_bps"),
        (_("Threshold, in hundredths of a percent"), "thresholdBps", "threshold_bps"),
        (_("Period in seconds"), "periodSeconds", "period_seconds"),
        (_("Fewest ballots"), "minimumVotes", "minimum_votes"),
        (_("The author may not vote"), "excludeAuthor", "exclude_author"),
    )
    return [
        Change(label, _text(getattr(now, field)) if now else "-", _text(given[name]))
        for label, name, field in pairs
        if name in given
    ]


def _kind(number: object) -> str:
    return {1: "approve_plan", 2: "release_model", 3: "recall_model", 4: "grant_licence"}.get(number, "")  # type: ignore[call-overload, no-any-return]  # whatever the bytes hold


def _given(proposal: Proposal, names: Mapping[UUID, str]) -> list[Change]:
    return [Change(name, "-", _text(value)) for name, value in arguments_of(proposal).items()]


def _time(what: str, note: str) -> Callable[[Proposal, Mapping[UUID, str]], list[Change]]:
    """One time; no event tells the present one, which each agent reads from its own node."""
    return lambda proposal, names: [
        Change(_(what), "-", _seconds(value), _(note)) for value in arguments_of(proposal).values()
    ]


def _seconds(value: int) -> str:
    size, words = next((unit for unit in _UNITS if value and value % unit[0] == 0), _UNITS[-1])
    return str(words % {"n": value // size})


def _guardian(proposal: Proposal, names: Mapping[UUID, str]) -> list[Change]:
    """Who may veto, and how many together, as the guardian's last event said it."""
    given, rule = arguments_of(proposal), GuardianRule.objects.filter(consortium=proposal.consortium_id).first()
    if not given:
        return []
    about = bytes32_to_uuid(given["organization"])
    found, known = Organization.objects.filter(pk=about).first(), rule.organizations if rule else []
    return [
        Change(
            _("%(name)s may veto") % {"name": found or about}, _text(str(about) in known), _text(given["isAppointed"])
        ),
        Change(_("Guardians that veto together"), str(rule.threshold) if rule else "-", str(given["threshold"])),
    ]


def _decided(what: str, now: str, after: str, note: str) -> Callable[[Proposal, Mapping[UUID, str]], list[Change]]:
    return lambda proposal, names: [Change(_(what), _(now), _(after), _(note))]


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return "0x" + value.hex()
    return {True: _("yes"), False: _("no")}[value] if isinstance(value, bool) else str(value)


_ABOUT: Mapping[str, Callable[[Proposal, Mapping[UUID, str]], list[Change]]] = {
    "admit": _membership_change(1, "active"),
    "reinstate": _membership_change(1, "active"),
    "suspend": _membership_change(-1, "suspended"),
    "remove": _membership_change(-1, "removed"),
    "activate_validator": _validator("No", "Yes"),
    "deactivate_validator": _validator("Yes", "No"),
    "set_policy": _policy,
    "set_decision_rule": _rule,
    "set_parameters": _given,
    "set_runner": _given,
    "set_peer": _given,
    "set_voting_delay": _time("Time before a vote", "in which the members read the proposal"),
    "set_voting_period": _time("Time for a vote", "in which ballots are taken"),
    "set_timelock_delay": _time("Time after a vote", "before what was voted is carried out; guardians may veto in it"),
    "set_guardian": _guardian,
    "set_validator_writer": _given,
    "set_validator_controller": _given,
    "replace_key": _given,
    "approve_plan": _decided("The plan", "Proposed", "Approved", "its author may then start runs of it"),
    "release_model": _decided("The model", "Candidate", "Released", "it then answers with predictions"),
    "recall_model": _decided("The model", "Released", "Recalled", "it then answers nothing any more"),
}
