"""What a person reads before signing: one plain sentence a typed message, as a key, parameters and English."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from consortium.kernel.bands import EDGES, band_label
from consortium.kernel.eip712 import TYPES
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.identifiers import to_hex
from consortium.kernel.structured_data import hash_struct

# Texts of others are shown, but may not fill the page or break out of their line.
MAX_QUOTED_CHARACTERS = 200

# The numbers are the contracts' enums (KeyPurpose, ActKind, DecisionKind; Governor's VoteType).
_WORDS: Mapping[tuple[str, str], Mapping[int, str]] = {
    ("RotateKey", "purpose"): {1: "vote", 2: "site", 3: "validator"},
    ("CastBallot", "choice"): {1: "yes", 2: "no", 3: "abstain"},
    ("Ballot", "support"): {0: "no", 1: "yes", 2: "abstain"},
    ("ProposeAct", "kind"): dict(
        enumerate(
            (
                "admit an organization",
                "suspend an organization",
                "reinstate an organization",
                "remove an organization",
                "activate a validator",
                "deactivate a validator",
                "set the policy",
                "set a decision rule",
                "set a runner",
                "set the parameters",
                "replace a key",
                "set the voting delay",
                "set the voting period",
                "set the timelock's delay",
                "set the validators' writer",
                "set the validators' controller",
                "appoint or dismiss a guardian",
                "accept or leave another consortium",
            ),
            start=1,
        )
    ),
    ("OpenDecision", "kind"): {1: "approve a plan", 2: "release a model", 3: "recall a model", 4: "grant a license"},
}

# Percent formats with names, as gettext catalogues keep them.
TEMPLATES: Mapping[str, str] = MappingProxyType(
    {
        "RotateKey": "%(organization)s replaces its key for the purpose %(purpose)s by %(newKey)s, until %(deadline)s.",
        "ProposeAct": "%(organization)s proposes to %(kind)s (%(arguments)s), described "
        "as %(description)s, until %(deadline)s.",
        "Ballot": "The voter %(voter)s answers %(support)s to the proposal %(proposalId)s.",
        "Veto": "The operation %(operation)s, which is %(subject)s, is vetoed while it waits in the timelock.",
        "OpenDecision": "%(author)s asks the members to %(kind)s: %(subject)s, under the policy %(policy)s, "
        "with the consent of %(owners)s, until %(deadline)s.",
        "CastBallot": "%(organization)s answers %(choice)s in the decision %(decision)s on %(subject)s.",
        "AnchorEpoch": "%(organization)s anchors its consents of epoch %(epoch)s (%(band)s subjects) as of %(asOf)s "
        "under the root %(root)s, as entry %(seq)s.",
        "RevokeConsents": "%(organization)s revokes the consents of %(subjects)s in epoch %(epoch)s, as entry %(seq)s.",
        "Commitment": "%(organization)s takes part in round %(round)s, attempt %(attempt)s, of run %(run)s with "
        "%(band)s subjects (cohort %(cohortRoot)s), by plan %(plan)s from the weights %(weights)s and the consents of "
        "epoch %(epoch)s, entry %(seq)s, as of %(asOf)s, read at block %(blockNumber)s (%(blockHash)s) and valid until "
        "block %(validUntilBlock)s, with mask keys %(maskKeys)s and privacy event %(privacyEvent)s.",
        "RoundResult": "Round %(round)s, attempt %(attempt)s, of run %(run)s was recomputed: survivors %(survivors)s, "
        "masked vectors %(maskedDigests)s, aggregate %(aggregate)s, next weights %(nextWeights)s.",
        "SurvivorSet": "The survivors of round %(round)s, attempt %(attempt)s, of run %(run)s are %(survivors)s of the "
        "roster %(roster)s, with masked vectors %(maskedDigests)s and weights %(weights)s.",
        "ShareDeal": "%(organization)s deals shares in round %(round)s, attempt %(attempt)s, of run %(run)s with the "
        "commitments %(commitments)s.",
        "CancelRun": "The run %(run)s is canceled for the reason %(reason)s.",
        "RegisterCandidate": "The model %(model)s of run %(run)s becomes a candidate with the card %(card)s.",
        "Checkpoint": "The log %(log)s has %(size)s records under the root %(root)s.",
        "AgentRequest": "The agent of %(organization)s sends the request %(method_path)s with body %(body)s "
        "at %(time)s (nonce %(nonce)s).",
    }
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence to be translated by its key, its parameters already readable, and the English one."""

    key: str
    parameters: Mapping[str, str]
    english: str


def sentence(primary: str, message: Mapping[str, Any], names: Mapping[bytes, str]) -> Sentence:
    """Return the sentence for a message that `typed_hash` accepts.

    Every field that is signed shows in it or is a nonce; nothing is left out that a signer would want to see.

    Parameters
    ----------
    names : bytes32 to text
        What the signer's own registry calls organizations, runs and digests. Unknown ones show in full.

    Raises
    ------
    InvalidInputError
        If the message is not exactly one of this type.
    """
    _require_well_formed(primary, message)
    parameters = {name: _readable(primary, name, kind, message[name], names) for kind, name in TYPES[primary].members}
    return Sentence(f"sign.{primary}", parameters, TEMPLATES[primary] % parameters)


def _require_well_formed(primary: str, message: Mapping[str, Any]) -> None:
    if primary not in TYPES:
        raise InvalidInputError(f"{primary!r} is not a message of the consortium.")
    hash_struct(TYPES, primary, message)


def _readable(primary: str, name: str, kind: str, value: Any, names: Mapping[bytes, str]) -> str:
    if name in {"deadline", "asOf", "time"}:
        return _time(value)
    if name == "band":
        return band_label(value) if value in {0, *EDGES} else f"an unknown band ({value})"
    if words := _WORDS.get((primary, name)):
        return words.get(value, f"an unknown word ({value})")
    if kind.endswith("[]"):
        return ", ".join(_readable(primary, "", kind[:-2], item, names) for item in value) or "nobody"
    if isinstance(value, bytes):
        return names.get(value) or to_hex(value)
    return _quoted(value) if kind == "string" else str(value)


def _time(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return f"{seconds} s after 1970"


def _quoted(text: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in text[:MAX_QUOTED_CHARACTERS])
    return f'"{shown}"' + ("" if len(text) <= MAX_QUOTED_CHARACTERS else " (cut)")
