"""The sentence that a person signs, made from the signed fields and from nothing that the platform says.

The kernel has one for every message; here the arguments of an act are opened, and names put in that this site learnt
by itself. What stands on the member page above it may say more, for it is read from the member's own node.
"""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from agent.acts import ACTS
from agent.facts import NameOf, fact
from agent.policy import SigningRequest
from agent.wording import gettext as _
from consortium.kernel.errors import ConsiliumError
from consortium.kernel.sentences import TEMPLATES, sentence

__all__ = ["NO_PERSON_SIGNS", "NameOf", "signed_sentence"]

# Every message is in KEY_OF; those of the site key are the agent's own, each within what people decided before.
NO_PERSON_SIGNS: Mapping[str, str] = MappingProxyType(
    {
        "AnchorEpoch": "follows from consents as they were imported and withdrawn; a steward asks for it at most",
        "RevokeConsents": "follows from withdrawals, each of which a person made and the journal holds",
        "Commitment": "a round's own, within an approved plan and the site's rules",
        "RoundResult": "recomputed bit for bit by the agent",
        "SurvivorSet": "names whose masked vectors came, within a round",
        "ShareDeal": "hands out shares within a round",
        "CancelRun": "the author's answer to a run that its platform gave up",
        "RegisterCandidate": "names the last weights of a run that is complete; its release is voted on",
        "Checkpoint": "co-signs a log that was proven to have grown only",
        "AgentRequest": "opens a session or signs a document of consents; no contract reads it",
    }
)


def signed_sentence(request: SigningRequest, name_of: NameOf) -> str:
    """Return the sentence of a request; `InvalidInputError` if its message is not exactly of its type."""
    message = request.message
    names = {value: name_of(value) for value in _words_of(message)}
    made = sentence(request.primary, message, names)
    if request.primary != "ProposeAct":
        return made.english
    raw = f"arguments {made.parameters['arguments']}"
    opened = {"arguments": _act_words(message["kind"], message["arguments"], name_of) or raw}
    return TEMPLATES[request.primary] % {**made.parameters, **opened}


def _act_words(kind: int, arguments: bytes, name_of: NameOf) -> str:
    """Return an act's arguments as label and value; empty if they are not those of its kind."""
    if (form := ACTS.get(kind)) is None:
        return ""
    try:
        values = form.decode(form.selector + arguments)
    except ConsiliumError:
        return ""
    pairs = (fact(name, value, name_of) for name, value in values.items())
    return "; ".join(f"{label.lower()}: {text}" for label, text in pairs) or _("none")


def _words_of(message: Mapping[str, Any]) -> Iterator[bytes]:
    for value in message.values():
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, bytes))
