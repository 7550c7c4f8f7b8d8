"""The plan's document, which lies in the library because sites read it too."""

from training.federated.plan_document import FORMAT as FORMAT
from training.federated.plan_document import MAX_PLAN_BYTES as MAX_PLAN_BYTES
from training.federated.plan_document import METRICS as METRICS
from training.federated.plan_document import PlanDocument as PlanDocument
from training.federated.plan_document import parse_plan as parse_plan
from training.federated.plan_document import read_plan as read_plan
