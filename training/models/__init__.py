"""Plans, runs with their rounds and attempts, and models."""

from training.models.attempts import Attempt, Errand, SitePart
from training.models.models import Model
from training.models.plans import Plan
from training.models.runs import LineageRow, Round, Run, RunOrder

__all__ = ["Attempt", "Errand", "LineageRow", "Model", "Plan", "Round", "Run", "RunOrder", "SitePart"]
