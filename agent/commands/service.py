"""Commands on the running site: run it, see its state, find what is wrong, forget pinned contracts."""

import argparse
import asyncio
import logging
import uuid
from typing import TYPE_CHECKING

from agent.chain_check import Finding
from agent.commands.terminal import add_person, prove, say, say_json
from agent.courier import Courier
from agent.keystore import KeyPurpose
from agent.people import Role
from agent.running import run_site
from agent.site import Site, open_site
from agent.status import look_at_site
from agent.training.errors import RunnerError
from agent.training.runner_process import RunnerProcess
from agent.wording import gettext as _
from consortium.kernel.errors import InvalidInputError

if TYPE_CHECKING:
    from agent.commands.terminal import Subcommands


def add_to(commands: "Subcommands") -> None:
    """Add run, status, doctor, walls and contracts."""
    run = commands.add_parser("run", help="do the consortium's work and serve the member page until stopped")
    run.set_defaults(command=_run)
    status = commands.add_parser("status", help="show node, contracts, platform and keys as they are now")
    status.add_argument("--json", action="store_true")
    status.set_defaults(command=_status)
    doctor = commands.add_parser("doctor", help="check folder, keys, journal and everything of status")
    doctor.set_defaults(command=_doctor)
    walls = commands.add_parser("walls", help="say which walls stand around a plan's code on this machine")
    walls.set_defaults(command=_walls)
    contracts = commands.add_parser("contracts", help="the contracts that this site pinned").add_subparsers(
        required=True
    )
    forget = contracts.add_parser("forget", help="forget a consortium's contracts after its members agreed on new ones")
    forget.add_argument("consortium", metavar="UUID")
    add_person(forget)
    forget.set_defaults(command=_forget)


def _run(args: argparse.Namespace) -> int:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    logging.getLogger("httpx").setLevel(logging.WARNING)
    # Plans' code runs in children of a program that was started before this one opened a key.
    runner = RunnerProcess()
    runner.start()
    site = open_site(args.folder)
    site.runner = runner
    site.journal.verify()
    say(f"Member page: http://127.0.0.1:{site.configuration.port}/")
    try:
        asyncio.run(run_site(site))
    finally:
        runner.close()
    site.journal.close()
    return 0


def _status(args: argparse.Namespace) -> int:
    findings = asyncio.run(_look(open_site(args.folder)))
    return _tell(findings, as_json=args.json)


def _doctor(args: argparse.Namespace) -> int:
    site = open_site(args.folder)
    say(f"[ok] Folder {args.folder} is private")
    say(f"[ok] Journal with {site.journal.verify()} entries, none changed")
    say(
        f"[ok] Vote key {site.signer.address(KeyPurpose.VOTE)} and site key {site.signer.address(KeyPurpose.SITE)} open"
    )
    return _tell(asyncio.run(_look(site)), as_json=False)


def _walls(args: argparse.Namespace) -> int:
    """Answer without a site: a machine can be judged before one is made on it."""
    return _tell([_look_at_runner()], as_json=False)


def _forget(args: argparse.Namespace) -> int:
    site = open_site(args.folder)
    prove(site, args).require(Role.VOTER)
    try:
        site.pins.forget(uuid.UUID(args.consortium))
    except ValueError as error:
        raise InvalidInputError("A consortium is named by its UUID.") from error
    say("Forgotten. The contracts are checked and pinned anew when they are next needed.")
    return 0


async def _look(site: Site) -> list[Finding]:
    async with site.client() as client:
        findings = await look_at_site(site, site.desk(client, Courier(client, site.letters)))
    return [*findings, await asyncio.to_thread(_look_at_runner)]


def _look_at_runner() -> Finding:
    """Say which walls stand around a plan's code on this machine; the limits always do."""
    runner = RunnerProcess()
    try:
        walls = runner.confinement().to_json()
    except RunnerError as error:
        return Finding("runner", False, error.message)
    finally:
        runner.close()
    standing = ", ".join(name for name, stands in walls.items() if stands) or _("none but the limits")
    is_apart = walls["network"] and walls["files"]
    return Finding("runner", is_apart, _("A plan's code runs apart: %s") % standing)


def _tell(findings: list[Finding], *, as_json: bool) -> int:
    if as_json:
        say_json([{"code": one.code, "is_well": one.is_well, "text": one.text} for one in findings])
    else:
        for one in findings:
            say(f"[{'ok' if one.is_well else 'not well'}] {one.text}")
    return 0 if all(one.is_well for one in findings) else 1
