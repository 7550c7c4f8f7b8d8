"""Proposals, ballots, and the rules they are decided by."""

from consortium.governance.models.proposals import Ballot, Proposal
from consortium.governance.models.rules import DecisionRule

__all__ = ["Ballot", "DecisionRule", "Proposal"]
