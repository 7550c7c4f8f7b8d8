"""Step 5: a plan is drafted, proposed at its author's agent, and approved by the others."""

import json
from typing import Any

from consortium.demo.plan import plan_document
from consortium.demo.portal import Visitor
from consortium.demo.sites import VOTER, Site, wait_for
from consortium.demo.story import Story
from consortium.demo.world import World, at_each


def tell(story: Story, world: World) -> None:
    world.runs += 1
    author = world.sites[0]
    with story.step("5  Plan"), world.admin(author) as scientist:
        title = f"Long stay after a cardiac procedure, plan {world.runs}"
        sites = [site.organization_id for site in world.sites]
        document = plan_document(title=title, consortium=world.consortium["id"], sites=sites)
        _check_unknown_feature(story, world, scientist, document)
        answer = scientist.post(f"consortia/{world.consortium['id']}/plans", {"document": document})
        story.claim("a scientist of one hospital drafts a plan", answer.status_code == 201, answer.text)
        plan = answer.json()
        propose = ("plans", "propose", "--consortium", world.consortium["id"], plan["digest"])
        author.run(*propose, "--as", VOTER, "--pass-phrase-file", "voter.phrase")
        found = wait_for(30, lambda: open_decision(scientist, world, plan["subject"]), "the decision on the chain")
        decide(world, found["id"], world.sites[1:])
        wait_for(30, lambda: scientist.get(f"plans/{plan['id']}")["state"] == "approved", "the approval")
        tally = scientist.get(f"proposals/{found['id']}")["tally"]
        story.claim("the four others approve it, its author excluded", tally["yes"] == tally["base"] == 4, tally)
        world.plan = plan
        _try_tampered_plan(story, world, plan)
    world.finish("planning")


def _check_unknown_feature(story: Story, world: World, visitor: Visitor, document: dict[str, Any]) -> None:
    changed = document | {"training": document["training"] | {"features": [{"name": "religion", "kind": "binary"}]}}
    answer = visitor.post(f"consortia/{world.consortium['id']}/plans", {"document": changed})
    named = "religion" in answer.json().get("detail", "")
    story.claim("a plan with an unknown feature is refused by name", answer.status_code == 400 and named, answer.text)


def _try_tampered_plan(story: Story, world: World, plan: dict[str, Any]) -> None:
    """A platform with all its secrets asks a site to train on the plan with one byte changed."""
    site = world.sites[3]
    said = json.loads(world.instance.run_program("attack", "consortium.demo.attacks", plan["id"], site.organization_id))
    story.claim(
        f"one byte changed after the approval: {site.hospital.name} refuses ({said['code']}: {said['text']})",
        said["state"] == "refused" and said["code"] in {"plan_not_approved", "digest_differs"},
        said,
    )
    story.record(tampered_plan_refused=said["state"] == "refused")


def open_decision(visitor: Visitor, world: World, subject: str) -> dict[str, Any] | None:
    """The open decision on this subject, once the chain has it."""
    found = visitor.get(f"consortia/{world.consortium['id']}/proposals")["results"]
    return next((p for p in found if p["subject"] == subject and p["state"] == "active"), None)


def decide(world: World, proposal: str, sites: list[Site]) -> None:
    """Each of these hospitals' voters says yes, at the hospital."""
    # A ballot is mostly waiting: for the platform, for the node.
    at_each(sites, lambda site: site.vote(proposal, "yes"), at_once=len(sites))
