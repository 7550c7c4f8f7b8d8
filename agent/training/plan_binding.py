"""A plan behind a vote: shown only if its digest and terms make the very subject that is voted on."""

from agent.chain import Chain
from agent.documents import binds
from agent.questions import Question
from training.federated.errors import PlanInvalidError
from training.federated.plan_document import parse_plan


@binds("ApprovePlan")
def is_plan_of_subject(_chain: Chain, question: Question, document: bytes) -> bool:
    """Say whether these bytes are a sound plan of this consortium whose `subjectOf` is the decision's subject."""
    try:
        plan = parse_plan(document)
    except PlanInvalidError:
        return False
    return plan.consortium == question.consortium.id and plan.subject() == question.subject
