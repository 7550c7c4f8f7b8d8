"""Commands on plans: name the runner, propose a plan that was drafted on the platform, allow or refuse one here."""

import argparse
import asyncio
import uuid
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

# Registers how a plan is tied to its vote.
import agent.training.plan_binding  # noqa: F401
from agent.commands.terminal import add_person, prove, proven_by_file, say
from agent.courier import Courier
from agent.letters import Letter
from agent.people import Person, Role
from agent.proposing import Draft
from agent.site import Site, open_site
from agent.training.plans import ALLOWED, REFUSED, Plans
from agent.training.proposals import draft_proposal
from consortium.kernel.errors import InvalidInputError
from training.federated.plan_document import MAX_PLAN_BYTES, PlanDocument, parse_plan
from training.federated.source_digests import runner_digest

if TYPE_CHECKING:
    from agent.commands.terminal import Subcommands


def add_to(commands: "Subcommands") -> None:
    """Add plans."""
    plans = commands.add_parser("plans", help="training plans").add_subparsers(required=True, metavar="COMMAND")
    propose = plans.add_parser("propose", help="put a plan that was drafted on the platform to the vote")
    propose.add_argument("--consortium", required=True, metavar="UUID")
    propose.set_defaults(command=_propose)
    runner = plans.add_parser(
        "runner", help="print the digest of this site's trusted runner, which members accept by vote"
    )
    runner.set_defaults(command=_runner)
    allow = plans.add_parser("allow", help="allow an approved plan to train on this site's records")
    allow.set_defaults(command=_decide, value=ALLOWED)
    refuse = plans.add_parser("refuse", help="refuse it; final")
    refuse.set_defaults(command=_decide, value=REFUSED)
    for one in (propose, allow, refuse):
        one.add_argument("digest", metavar="DIGEST", help="the plan's, sha256:...")
        add_person(one)


def _propose(args: argparse.Namespace) -> int:
    site = open_site(args.folder)
    try:
        consortium = uuid.UUID(args.consortium)
    except ValueError as error:
        raise InvalidInputError("A consortium is named by its UUID.") from error
    approve = partial(_approve, site, args, proven_by_file(site, args))
    letter, delivered = asyncio.run(propose_plan(site, consortium, args.digest, approve))
    say(f"Signed {letter.digest}; " + ("handed to the platform." if delivered else "kept until the platform answers."))
    return 0


def _runner(args: argparse.Namespace) -> int:
    say(runner_digest())
    return 0


def _approve(site: Site, args: argparse.Namespace, given: Person | None, plan: PlanDocument, draft: Draft) -> Person:
    """Say what is to be signed, then ask for the pass phrase unless a file gave it."""
    say(f"{plan.title}: {plan.terms.rounds} rounds for {plan.purpose}, {len(plan.sites)} sites")
    say(draft.sentence)
    return given or prove(site, args)


def _decide(args: argparse.Namespace) -> int:
    site = open_site(args.folder)
    person = prove(site, args)
    person.require(Role.STEWARD)
    Plans(site.journal, lambda: site.configuration.rules).decide(args.digest, args.value, person=person.name)
    say(f"{args.digest} is {args.value} at this site.")
    return 0


async def propose_plan(
    site: Site, consortium: uuid.UUID, digest: str, approve: Callable[[PlanDocument, Draft], Person]
) -> tuple[Letter, bool]:
    """Fetch a drafted plan, check it, and open the decision on its digest and terms once a person approves it.

    Every site of the plan is an owner: its own yes is needed besides the majority.

    Raises
    ------
    PlanInvalidError
        If the document is no sound plan.
    InvalidInputError
        If it is a plan of another consortium.
    """
    async with site.client() as client:
        courier = Courier(client, site.letters)
        checked = await site.desk(client, courier).consortium(consortium)
        plan = parse_plan(await client.blob(digest, largest=MAX_PLAN_BYTES))
        draft = await asyncio.to_thread(draft_proposal, site, checked, plan)
        person = await asyncio.to_thread(approve, plan, draft)
        letter = await asyncio.to_thread(site.proposing.sign, draft, person)
        return letter, await courier.deliver(letter)
