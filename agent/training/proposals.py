"""Putting a plan to the vote: the signed opening of the decision on its digest and terms."""

# Registers how a plan is tied to its vote.
import agent.training.plan_binding  # noqa: F401
from agent.chain import Consortium
from agent.letters import Letter
from agent.people import Person
from agent.proposing import Draft
from agent.site import Site
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.identifiers import uuid_to_bytes32
from training.federated.plan_document import PlanDocument


def draft_proposal(site: Site, consortium: Consortium, plan: PlanDocument, *, deadline: int | None = None) -> Draft:
    """Return the opening to be signed; every site of the plan is an owner, whose own yes is needed besides.

    Raises
    ------
    InvalidInputError
        If it is a plan of another consortium.
    """
    if plan.consortium != consortium.id:
        raise InvalidInputError("The plan is drafted for another consortium. Draft it for this one.")
    return site.proposing.draft_decision(
        consortium=consortium,
        kind="ApprovePlan",
        subject=plan.subject(),
        owners=[uuid_to_bytes32(organization) for organization in plan.sites],
        description=plan.title,
        document_digest=plan.digest(),
        deadline=deadline,
    )


def sign_proposal(site: Site, consortium: Consortium, plan: PlanDocument, person: Person) -> Letter:
    """Draft the opening and sign it; see `draft_proposal`."""
    return site.proposing.sign(draft_proposal(site, consortium, plan), person)
