"""The command on the member's own node: hold its allow-lists to the registries, once or without end."""

import argparse
import asyncio
import json
import logging
import signal
from typing import TYPE_CHECKING

from agent.commands.terminal import say
from agent.courier import Courier
from agent.errors import ConfigurationError, ReconcilerBusyError
from agent.node_watch import NodeWatch
from agent.site import Site, open_site
from contracts.network.points import lines_of
from contracts.reconciler import Outcome

if TYPE_CHECKING:
    from agent.commands.terminal import Subcommands

_HELP = "hold your own node's allow-lists to the registries, at each of their events and every 30 s"


def add_to(commands: "Subcommands") -> None:
    """Add reconcile."""
    made = commands.add_parser("reconcile", help=_HELP)
    made.add_argument("--once", action="store_true", help="look once; exit with 1 if something is wrong")
    made.add_argument("--json", action="store_true", help="one JSON object a look")
    made.add_argument(
        *("--accept-removals",),
        type=int,
        default=0,
        metavar="N",
        help="with --once: let this look remove up to N nodes, where it said that more than a third would go",
    )
    made.set_defaults(command=_reconcile)


def _reconcile(args: argparse.Namespace) -> int:
    if args.accept_removals and not args.once:
        raise ConfigurationError("--accept-removals counts for one look: give --once too.")
    site = open_site(args.folder)
    if not site.node_keeper.is_named:
        raise ConfigurationError("site.toml names no node to reconcile. Give operations_url under [chain].")
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    return asyncio.run(_run(site, args))


async def _run(site: Site, args: argparse.Namespace) -> int:
    async with site.client() as client:
        desk = site.desk(client, Courier(client, site.letters))
        watch = NodeWatch(site.node_keeper, client, desk, told=lambda outcome: _say(outcome, as_json=args.json))
        if args.once:
            outcome = await watch.look(accepted=args.accept_removals)
            if outcome is None:
                raise ReconcilerBusyError("Another reconciler of this site is looking now. Ask again in a moment.")
            return 0 if outcome.is_well else 1
        return await _until_ended(watch)


async def _until_ended(watch: NodeWatch) -> int:
    """Look without end; SIGTERM and SIGINT end it between two looks, a kill ends it anywhere."""
    running = asyncio.ensure_future(watch.run())
    loop = asyncio.get_running_loop()
    for sign in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(sign, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        return 0
    return 0


def _say(outcome: Outcome, *, as_json: bool) -> None:
    if as_json:
        say(json.dumps(outcome.to_json(), sort_keys=True))
        return
    for point in outcome.points:
        for line in lines_of(point):
            say(line)
    for act in outcome.acts:
        say(f"{act.outcome:<7}{act.method} {', '.join(act.entries)}")
