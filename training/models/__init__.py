"""Plans, runs with their rounds and attempts, models, and what other consortia's chains have proven of theirs."""

from training.models.attempts import Attempt, Errand, SitePart
from training.models.foreign import ForeignModel, ForeignStatement, Peer
from training.models.models import Model
from training.models.plans import Plan
from training.models.runs import LineageRow, Round, Run, RunOrder

__all__ = [
    "Attempt",
    "Errand",
    "ForeignModel",
    "ForeignStatement",
    "LineageRow",
    "Model",
    "Peer",
    "Plan",
    "Round",
    "Run",
    "RunOrder",
    "SitePart",
]
