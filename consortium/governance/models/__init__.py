"""Proposals, ballots and vetoes, and the rules they are decided by."""

from consortium.governance.models.proposals import Ballot, Proposal
from consortium.governance.models.rules import DecisionRule
from consortium.governance.models.vetoes import GuardianRule, Veto

__all__ = ["Ballot", "DecisionRule", "GuardianRule", "Proposal", "Veto"]
