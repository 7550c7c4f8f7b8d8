"""What a proposal would change, in words: each field of an act or a decision with a label and a value for people."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from agent.wording import gettext as _
from consortium.kernel.identifiers import to_hex

NameOf = Callable[[bytes], str]
_NO_ADDRESS = "0x" + "0" * 40

LABELS: Mapping[str, str] = MappingProxyType(
    {
        "id": _("Organization"),
        "voteKey": _("Vote key"),
        "siteKey": _("Site key"),
        "validator": _("Address of its node"),
        "profile": _("Digest of its profile"),
        "purpose": _("Purpose of the key"),
        "newKey": _("New key"),
        "policy": _("Digest of the policy"),
        "kind": _("Kind of decision"),
        "runner": _("Digest of the runner"),
        "isAccepted": _("Accepted"),
        "quorumBps": _("Quorum"),
        "thresholdBps": _("Threshold"),
        "periodSeconds": _("Ballots are taken for"),
        "minimumVotes": _("Fewest ballots"),
        "excludeAuthor": _("The author's own ballot"),
        "witnessQuorum": _("Co-signatures an anchor of the log needs"),
        "minimumValidators": _("Fewest nodes that write blocks"),
        "commitmentMaxAgeBlocks": _("A commitment is taken for"),
        "asOfToleranceSeconds": _("How far a consent's time may lie ahead"),
        "maxAbandonedAttempts": _("Attempts that a round may abandon"),
        "admissionIntervalSeconds": _("Time between two admissions"),
        "newVotingDelay": _("Wait before a vote"),
        "newVotingPeriod": _("Ballots are taken for"),
        "newDelay": _("Wait before what was voted is done"),
        "newWriter": _("New writer of the validators' list"),
        "newController": _("New controller of the validators' list"),
        "subject": _("Digest of the subject"),
        "owners": _("Members who must agree for themselves"),
        "base": _("Members who may vote"),
        "organization": _("Organization"),
        "isAppointed": _("May veto"),
        "threshold": _("Members that a veto needs"),
        "peer": _("Digest of the other consortium's anchor"),
    }
)
_PURPOSES = {1: _("vote"), 2: _("site"), 3: _("validator")}
_KINDS = {1: _("approving a plan"), 2: _("releasing a model"), 3: _("recalling a model"), 4: _("granting a license")}
_TEXTS: Mapping[str, str] = {
    "quorumBps": _("%s of the members who may vote"),
    "thresholdBps": _("%s of the ballots yes"),
    "commitmentMaxAgeBlocks": _("%s blocks"),
}


def fact(name: str, value: Any, name_of: NameOf) -> tuple[str, str]:
    """Return label and value of a field; a field that this program does not know keeps its own name."""
    return LABELS.get(name, name), value_text(name, value, name_of)


def value_text(name: str, value: Any, name_of: NameOf) -> str:
    """Return a field's value in words: 5000 of `quorumBps` is 50 %, 600 of `periodSeconds` 10 min."""
    if name == "excludeAuthor":
        return _("does not count") if value else _("counts")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, (list, tuple)):
        return ", ".join(value_text("id" if name == "owners" else name, one, name_of) for one in value) or _("none")
    if isinstance(value, bytes):
        return name_of(value) if name in ("id", "organization") else to_hex(value)
    if value == _NO_ADDRESS:
        return _("none")
    return _number(name, value) if isinstance(value, int) else str(value)


def _number(name: str, value: int) -> str:
    if name in ("purpose", "kind"):
        return (_PURPOSES if name == "purpose" else _KINDS).get(value, _("an unknown one (%d)") % value)
    if name.endswith("Bps"):
        return _TEXTS[name] % percent(value) if name in _TEXTS else percent(value)
    if name.endswith("Seconds") or name in ("newVotingDelay", "newVotingPeriod", "newDelay"):
        return span(value)
    return _TEXTS.get(name, "%s") % f"{value:,}"


def percent(basis_points: int) -> str:
    """Return hundredths of a percent as people say them: 5000 is `50 %`, 6667 is `66.67 %`."""
    return f"{basis_points / 100:g} %"


def span(seconds: float) -> str:
    """Return a length of time in its two largest units: `1 day 3 h`, `18 s`."""
    whole = max(int(seconds), 0)
    days, hours, minutes = whole // 86_400, whole // 3600 % 24, whole // 60 % 60
    if days:
        return f"{days} {'day' if days == 1 else 'days'}" + (f" {hours} h" if hours else "")
    if hours:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    return f"{minutes} min" + (f" {whole % 60} s" if whole % 60 else "") if minutes else f"{whole} s"
