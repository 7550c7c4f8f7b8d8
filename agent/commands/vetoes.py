"""Commands for the voters of a guardian: list the acts that wait, and veto one of them."""

import argparse
import asyncio
from typing import TYPE_CHECKING, Any

from agent.commands.terminal import add_person, prove, proven_by_file, say
from agent.courier import Courier
from agent.errors import NotOpenError
from agent.letters import Letter
from agent.site import Site, open_site
from agent.veto_desk import LaidOutVeto, VetoDesk
from agent.vetoes import platform_id

if TYPE_CHECKING:
    from agent.commands.terminal import Subcommands


def add_to(commands: "Subcommands") -> None:
    """Add guardian."""
    guardian = commands.add_parser("guardian", help="stop, with other guardians, what was voted and waits")
    acts = guardian.add_subparsers(required=True)
    acts.add_parser("list", help="list the acts that wait").set_defaults(command=_list)
    veto = acts.add_parser("veto", help="sign against an act; the same act can be vetoed once")
    veto.add_argument("proposal", metavar="PROPOSAL", help="the proposal's UUID")
    veto.add_argument("--reason", required=True, help="told to the members, who may vote on it again")
    add_person(veto)
    veto.set_defaults(command=_veto)


def _list(args: argparse.Namespace) -> int:
    async def work(desk: VetoDesk) -> list[LaidOutVeto]:
        return await desk.waiting()

    for one in _at_desk(open_site(args.folder), work):
        say(f"{one.offered.proposal}  {one.act.question.phrase if one.act else '(not shown)'}  [{_state(one)}]")
    return 0


def _veto(args: argparse.Namespace) -> int:
    site, proposal = open_site(args.folder), platform_id(args.proposal)
    given = proven_by_file(site, args)

    async def work(desk: VetoDesk) -> tuple[Letter, bool]:
        laid_out = await desk.read(proposal)
        act, prepared = laid_out.act, laid_out.prepared
        if act is None or prepared is None:
            raise NotOpenError(laid_out.trouble)
        if act.why_not and laid_out.given is None:
            raise NotOpenError(act.why_not)
        say(prepared.sentence)
        say(f"  as signed: {prepared.literal}")
        until = f"{act.executable_at:%d %b %Y, %H:%M:%S} UTC"
        say(f"  it takes {act.threshold} of {act.guardians} guardians, before {until}")
        person = await asyncio.to_thread(lambda: given or prove(site, args))
        return await desk.sign(proposal=proposal, reason=args.reason, person=person, digest=prepared.digest)

    letter, delivered = _at_desk(site, work)
    say(f"Signed {letter.digest}; " + ("handed to the platform." if delivered else "kept until the platform answers."))
    return 0


def _state(one: LaidOutVeto) -> str:
    if one.act is None:
        return one.trouble
    if one.given is not None:
        return "this member has signed against it"
    return one.act.why_not or f"can be vetoed until {one.act.executable_at:%d %b %Y, %H:%M:%S} UTC"


def _at_desk(site: Site, work: Any) -> Any:
    async def run() -> Any:
        async with site.client() as client:
            courier = Courier(client, site.letters)
            return await work(site.veto_desk(client, courier))

    return asyncio.run(run())
