"""Constitutional acts in words: which function each kind calls, with what arguments, said so that one can vote."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from agent.errors import ContradictionError
from agent.wording import gettext as _
from consortium.kernel.errors import InvalidInputError
from contracts.artifacts import shipped
from contracts.rpc.codec import AbiEntry, decode_values, encode_arguments, selector


@dataclass(frozen=True, slots=True)
class ActForm:
    """A kind of act: its name, the function that carries it out, and what is said of it."""

    name: str
    contract: str
    function: str
    phrase: str

    @property
    def entry(self) -> AbiEntry:
        """The function in the ABI that ships with us."""
        entries = shipped()[self.contract].entries("function")
        return next(entry for entry in entries if entry["name"] == self.function)

    @property
    def selector(self) -> bytes:
        return selector(self.entry)[:4]

    def encode(self, arguments: Mapping[str, Any]) -> bytes:
        """Encode the arguments by name; `InvalidInputError` if they are not exactly those of the function."""
        fields = _fields(self.entry)
        if arguments.keys() != set(fields):
            raise InvalidInputError(f"An act {self.name} takes exactly: {', '.join(fields)}.")
        values = [_value(part, arguments) for part in self.entry["inputs"]]
        return encode_arguments(self.entry["inputs"], values)

    def decode(self, calldata: bytes) -> dict[str, Any]:
        """Return the arguments by name, as the chain would execute them.

        Raises
        ------
        ContradictionError
            If the call is of another function, or its bytes are not the one encoding of their values.
        """
        if calldata[:4] != self.selector:
            raise ContradictionError(f"The act is called {self.name}, but calls another function.")
        values = decode_values(self.entry["inputs"], calldata[4:])
        if encode_arguments(self.entry["inputs"], values) != calldata[4:]:
            raise ContradictionError(f"The arguments of the act {self.name} are not in their one encoding.")
        return _flat(self.entry["inputs"], values)


# The numbers are the governor's enum ActKind, in which nothing is ever reordered; functions as in its ActRoutes.
ACTS: Mapping[int, ActForm] = MappingProxyType(
    {
        1: ActForm("Admit", "ConsortiumRegistry", "admit", _("admitting %(id)s as a member")),
        2: ActForm("Suspend", "ConsortiumRegistry", "suspend", _("suspending %(id)s")),
        3: ActForm("Reinstate", "ConsortiumRegistry", "reinstate", _("reinstating %(id)s")),
        4: ActForm("Remove", "ConsortiumRegistry", "remove", _("removing %(id)s for good")),
        5: ActForm(
            *("ActivateValidator", "ConsortiumRegistry", "activateValidator"),
            _("letting the node of %(id)s write blocks"),
        ),
        6: ActForm(
            *("DeactivateValidator", "ConsortiumRegistry", "deactivateValidator"),
            _("no longer letting the node of %(id)s write blocks"),
        ),
        7: ActForm("SetPolicy", "ConsortiumRegistry", "setPolicy", _("adopting the policy %(policy)s")),
        8: ActForm(
            *("SetDecisionRule", "ConsortiumRegistry", "setDecisionRule"),
            _("changing the numbers by which the members decide on %(kind)s"),
        ),
        9: ActForm(
            "SetRunner",
            "ConsortiumRegistry",
            "setRunner",
            _("setting whether the runner %(runner)s is accepted: %(isAccepted)s"),
        ),
        10: ActForm("SetParameters", "ConsortiumRegistry", "setParameters", _("changing the consortium's parameters")),
        11: ActForm(
            "ReplaceKey", "ConsortiumRegistry", "replaceKey", _("replacing the %(purpose)s key of %(id)s by %(newKey)s")
        ),
        12: ActForm(
            "SetVotingDelay", "ConsortiumGovernor", "setVotingDelay", _("waiting %(newVotingDelay)s before a vote")
        ),
        13: ActForm("SetVotingPeriod", "ConsortiumGovernor", "setVotingPeriod", _("voting for %(newVotingPeriod)s")),
        14: ActForm(
            "SetTimelockDelay",
            "TimelockController",
            "updateDelay",
            _("waiting %(newDelay)s before what was voted is done"),
        ),
        15: ActForm(
            "SetValidatorWriter", "ValidatorSource", "setWriter", _("letting %(newWriter)s write the validators' list")
        ),
        16: ActForm(
            *("SetValidatorController", "ValidatorSource", "setController"),
            _("letting %(newController)s control the validators' list"),
        ),
        17: ActForm(
            *("SetGuardian", "Guardian", "setGuardian"),
            _("setting whether %(organization)s may veto: %(isAppointed)s, with %(threshold)s needed for a veto"),
        ),
        18: ActForm(
            *("SetPeer", "ConsortiumRegistry", "setPeer"),
            _("setting whether proofs of the consortium with the anchor %(peer)s count here: %(isAccepted)s"),
        ),
    }
)
KIND_NUMBERS: Mapping[str, int] = MappingProxyType({form.name: kind for kind, form in ACTS.items()})


def _fields(entry: AbiEntry) -> list[str]:
    return [part["name"] for outer in entry["inputs"] for part in outer.get("components", [outer])]


def _value(part: AbiEntry, arguments: Mapping[str, Any]) -> Any:
    if "components" in part:
        return {inner["name"]: arguments[inner["name"]] for inner in part["components"]}
    return arguments[part["name"]]


def _flat(inputs: list[AbiEntry], values: list[Any]) -> dict[str, Any]:
    """Structs give their fields; no function of ours has two fields of one name."""
    flat: dict[str, Any] = {}
    for part, value in zip(inputs, values, strict=True):
        flat |= value if "components" in part else {part["name"]: value}
    return flat
