"""Commands on the folder itself: make it, read its log."""

import argparse
import uuid
from typing import TYPE_CHECKING

from agent.commands.terminal import say, say_json
from agent.configuration import DEFAULT_PORT, Configuration
from agent.founding import found_site
from agent.site import open_site
from consortium.kernel.errors import InvalidInputError

if TYPE_CHECKING:
    from agent.commands.terminal import Subcommands


def add_to(commands: "Subcommands") -> None:
    """Add init and log."""
    init = commands.add_parser("init", help="make a site's folder with fresh keys")
    init.add_argument("--organization", required=True, metavar="UUID", help="the organization's id on the platform")
    init.add_argument("--name", required=True, help="the organization's name, as its own people say it")
    init.add_argument("--platform", required=True, metavar="URL", help="where the platform answers (https)")
    init.add_argument("--chain-url", required=True, action="append", metavar="URL", help="your own node's RPC address")
    init.add_argument("--chain-id", required=True, type=int)
    init.add_argument("--port", type=int, default=DEFAULT_PORT, help="the member page's port on loopback")
    init.set_defaults(command=_init)
    log = commands.add_parser("log", help="show the site's own log, newest first")
    log.add_argument("--limit", type=int, default=50)
    log.add_argument("--verify", action="store_true", help="recompute the log's chain of hashes")
    log.add_argument("--json", action="store_true")
    log.set_defaults(command=_log)


def _init(args: argparse.Namespace) -> int:
    try:
        organization = uuid.UUID(args.organization)
    except ValueError as error:
        raise InvalidInputError("--organization is a UUID, as the platform shows it.") from error
    configuration = Configuration(
        organization=organization,
        name=args.name,
        platform_url=args.platform.rstrip("/"),
        chain_id=args.chain_id,
        chain_urls=tuple(args.chain_url),
        port=args.port,
    )
    addresses = found_site(args.folder, configuration)
    say(f"Made the site {args.folder}. Keep a copy of its keys folder in a safe place.")
    for purpose, address in addresses.items():
        say(f"{purpose} key {address}")
    say(f"Next: consilium-site --folder {args.folder} people add NAME --role voter")
    return 0


def _log(args: argparse.Namespace) -> int:
    journal = open_site(args.folder).journal
    if args.verify:
        say(f"{journal.verify()} entries, none changed, none missing before the last.")
        return 0
    entries = journal.entries(limit=max(args.limit, 1))
    if args.json:
        say_json([{name: getattr(entry, name) for name in type(entry).__dataclass_fields__} for entry in entries])
        return 0
    for entry in entries:
        reason = f" ({entry.detail['reason']})" if "reason" in entry.detail else ""
        say(f"{entry.position:>6}  {entry.time}  {entry.kind} {entry.outcome}{reason}  {entry.person}  {entry.digest}")
    return 0
