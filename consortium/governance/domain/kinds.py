"""Every kind of decision, and in which of the two contracts it is taken: none is in both."""

from enum import StrEnum

from consortium.governance.errors import UnknownKindError


class Contract(StrEnum):
    GOVERNOR = "ConsortiumGovernor"
    BOARD = "DecisionBoard"


# The numbers are the enums of IConsortiumGovernor.ActKind and DecisionRules.DecisionKind.
ACT_KINDS = {
    "admit": 1,
    "suspend": 2,
    "reinstate": 3,
    "remove": 4,
    "activate_validator": 5,
    "deactivate_validator": 6,
    "set_policy": 7,
    "set_decision_rule": 8,
    "set_runner": 9,
    "set_parameters": 10,
    "replace_key": 11,
    "set_voting_delay": 12,
    "set_voting_period": 13,
    "set_timelock_delay": 14,
    "set_validator_writer": 15,
    "set_validator_controller": 16,
    "set_guardian": 17,
    "set_peer": 18,
}
DECISION_KINDS = {"approve_plan": 1, "release_model": 2, "recall_model": 3, "grant_licence": 4}
CHOICES = {"yes": 1, "no": 2, "abstain": 3}
# OpenZeppelin's GovernorCountingSimple counts against, for, abstain.
SUPPORT = {"no": 0, "yes": 1, "abstain": 2}

_ACT_NAMES = {number: name for name, number in ACT_KINDS.items()}
_DECISION_NAMES = {number: name for name, number in DECISION_KINDS.items()}
_CHOICE_NAMES = {number: name for name, number in CHOICES.items()}
_SUPPORT_NAMES = {number: name for name, number in SUPPORT.items()}


def choice_of(contract: str, number: int) -> str:
    """The ballot's word for the number that `contract` uses for it."""
    return (_SUPPORT_NAMES if contract == Contract.GOVERNOR else _CHOICE_NAMES)[number]


def kind_name(contract: str, number: int) -> str:
    """The word for a kind's number.

    Raises
    ------
    UnknownKindError
        If the contract decides nothing of that number.
    """
    names = _ACT_NAMES if contract == Contract.GOVERNOR else _DECISION_NAMES
    if number not in names:
        raise UnknownKindError(f"{contract} decides nothing of the kind {number}.")
    return names[number]


def number_of(contract: str, kind: str) -> int:
    return (ACT_KINDS if contract == Contract.GOVERNOR else DECISION_KINDS)[kind]
