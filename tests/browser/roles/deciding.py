"""What the other hospitals do in a story: draft, propose, vote, each at its own agent."""

from typing import Any

from consortium.demo.plan import plan_document
from consortium.demo.sites import VOTER, Site, wait_for
from consortium.demo.steps.planning import decide, open_decision
from consortium.demo.world import World


def propose_plan(world: World, author: Site, title: str) -> dict[str, Any]:
    """Another hospital drafts a plan and puts it to the vote; return the proposal, once voting is open."""
    document = plan_document(
        title=title, consortium=world.consortium["id"], sites=[site.organization_id for site in world.sites]
    )
    with world.admin(author) as scientist:
        answer = scientist.post(f"consortia/{world.consortium['id']}/plans", {"document": document})
        assert answer.status_code == 201, answer.text
        plan = answer.json()
        words = ("plans", "propose", "--consortium", world.consortium["id"], plan["digest"])
        author.run(*words, "--as", VOTER, "--pass-phrase-file", "voter.phrase")
        found: dict[str, Any] = wait_for(30, lambda: open_decision(scientist, world, plan["subject"]), "the ballot")
        return found


def approve_plan(world: World, author: Site, plan: str) -> None:
    """Every other hospital says yes to a plan that its author has put to the vote."""
    with world.admin(author) as scientist:
        subject = scientist.get(f"plans/{plan}")["subject"]
        found = wait_for(30, lambda: open_decision(scientist, world, subject), "the ballot")
    decide(world, found["id"], [site for site in world.sites if site is not author])
