"""Commands for voters: list, show and cast ballots; propose acts and open decisions."""

import argparse
import asyncio
import json
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

# Registered: how a plan is tied to its vote.
import agent.training.plan_binding  # noqa: F401
from agent.ballots import Choice
from agent.commands.terminal import add_person, prove, proven_by_file, say
from agent.courier import Courier
from agent.desk import BallotDesk, LaidOut
from agent.letters import Letter
from agent.proposing import Draft
from agent.site import Site, open_site
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.identifiers import from_hex, to_hex

if TYPE_CHECKING:
    from agent.commands.terminal import Subcommands

MAX_PROPOSAL_BYTES = 64 * 1024


def add_to(commands: "Subcommands") -> None:
    """Add ballots and propose."""
    ballots = commands.add_parser("ballots", help="read and cast the member's ballots").add_subparsers(required=True)
    ballots.add_parser("list", help="list the ballots that wait").set_defaults(command=_list)
    show = ballots.add_parser("show", help="show one ballot as your own node has it")
    cast = ballots.add_parser("cast", help="sign a ballot; it is final")
    for one in (show, cast):
        one.add_argument("proposal", metavar="UUID")
    show.set_defaults(command=_show)
    cast.add_argument("choice", choices=[choice.value for choice in Choice])
    add_person(cast)
    cast.set_defaults(command=_cast)
    propose = commands.add_parser("propose", help="propose an act or open a decision, from a JSON file")
    propose.add_argument(
        *("file",),
        type=Path,
        help='{"consortium", "kind", "description", and "arguments" of an act or "subject" and "owners" of a decision}',
    )
    add_person(propose)
    propose.set_defaults(command=_propose)


def _list(args: argparse.Namespace) -> int:
    async def work(desk: BallotDesk, _courier: Courier) -> list[LaidOut]:
        return await desk.waiting()

    for ballot in _at_desk(open_site(args.folder), work):
        question = ballot.question
        state = ballot.trouble or (ballot.given and f"decided: {ballot.given}") or (question and question.phase)
        say(f"{ballot.offered.proposal}  {question.phrase if question else '(not shown)'}  [{state}]")
    return 0


def _show(args: argparse.Namespace) -> int:
    async def work(desk: BallotDesk, _courier: Courier) -> LaidOut:
        return await desk.read(_identifier(args.proposal))

    site = open_site(args.folder)
    ballot = _at_desk(site, work)
    if (question := ballot.question) is None:
        raise InvalidInputError(ballot.trouble)
    say(f"{question.phrase[:1].upper()}{question.phrase[1:]}")
    say(f"  proposed by {site.ballots.reader.names.name(question.author)}")
    for label, value in question.facts:
        say(f"  {label}: {value}")
    if sight := site.node_sight.of(question):
        say(f"  its node, as yours sees it: {sight.text} {sight.remedy}".rstrip())
    say(f"  tally at block {question.block.number}: {question.tally.yes} yes, {question.tally.no} no; {question.phase}")
    for prepared in ballot.prepared:
        say(f"  {to_hex(prepared.digest)}  {prepared.sentence}")
        say(f"    as signed: {prepared.literal}")
    return 0


def _cast(args: argparse.Namespace) -> int:
    site = open_site(args.folder)
    choice, proposal = Choice(args.choice), _identifier(args.proposal)
    given = proven_by_file(site, args)

    async def work(desk: BallotDesk, _courier: Courier) -> tuple[Letter, bool]:
        ballot = await desk.read(proposal)
        prepared = next(one for one in ballot.prepared if one.choice is choice)
        say(prepared.sentence)
        say(f"  as signed: {prepared.literal}")
        person = await asyncio.to_thread(lambda: given or prove(site, args))
        return await desk.cast(proposal=proposal, choice=choice, person=person, digest=prepared.digest)

    letter, delivered = _at_desk(site, work)
    say(f"Signed {letter.digest}; " + ("handed to the platform." if delivered else "kept until the platform answers."))
    return 0


def _propose(args: argparse.Namespace) -> int:
    site = open_site(args.folder)
    proposal = _read_proposal(args.file)
    given = proven_by_file(site, args)

    async def work(desk: BallotDesk, courier: Courier) -> tuple[Letter, bool]:
        consortium = await desk.consortium(_identifier(str(proposal["consortium"])))
        draft = await asyncio.to_thread(_draft, site, consortium, proposal)
        say(draft.sentence)
        person = await asyncio.to_thread(lambda: given or prove(site, args))
        letter = await asyncio.to_thread(site.proposing.sign, draft, person)
        return letter, await courier.deliver(letter)

    letter, delivered = _at_desk(site, work)
    say(f"Signed {letter.digest}; " + ("handed to the platform." if delivered else "kept until the platform answers."))
    return 0


def _draft(site: Site, consortium: Any, proposal: dict[str, Any]) -> Draft:
    common = {"consortium": consortium, "kind": str(proposal["kind"])}
    description = str(proposal.get("description", ""))
    if "arguments" in proposal:
        arguments = dict(proposal["arguments"])
        return site.proposing.draft_act(**common, arguments=arguments, description=description)
    owners = [from_hex(owner, size_bytes=32) for owner in proposal.get("owners", [])]
    subject = from_hex(proposal["subject"], size_bytes=32)
    return site.proposing.draft_decision(**common, subject=subject, owners=owners, description=description)


def _read_proposal(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()[: MAX_PROPOSAL_BYTES + 1]
        value = json.loads(content)
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"{path} is not a readable JSON file.") from error
    known = {"consortium", "kind", "description", "arguments", "subject", "owners"}
    if (
        not isinstance(value, dict)
        or not {"consortium", "kind"} <= value.keys() <= known
        or len(content) > MAX_PROPOSAL_BYTES
    ):
        raise InvalidInputError(
            f"A proposal has consortium and kind, and of the rest only: {', '.join(sorted(known))}."
        )
    if ("arguments" in value) == ("subject" in value):
        raise InvalidInputError(
            "An act has arguments; a decision has a subject (and perhaps owners). Give one of the two."
        )
    return value


def _at_desk(site: Site, work: Any) -> Any:
    async def run() -> Any:
        async with site.client() as client:
            courier = Courier(client, site.letters)
            return await work(site.desk(client, courier), courier)

    return asyncio.run(run())


def _identifier(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise InvalidInputError("A proposal or consortium is named by its UUID.") from error
