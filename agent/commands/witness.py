"""Commands of the witness: which logs this site follows, and the trust file that it hands to strangers."""

import argparse
import uuid
from typing import TYPE_CHECKING

from agent.commands.terminal import say, say_json
from agent.names import NameBook
from agent.site import Site, open_site
from agent.trust_file import consortium_of, trust_file
from agent.witness_book import Seen, WitnessBook
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.identifiers import to_hex

if TYPE_CHECKING:
    from agent.commands.terminal import Subcommands


def add_to(commands: "Subcommands") -> None:
    """Add logs and trust."""
    commands.add_parser("logs", help="list the logs that this site co-signs").set_defaults(command=_logs)
    trust = commands.add_parser("trust", help="print a trust file for consilium-verify, from this site's own node")
    trust.add_argument("consortium", metavar="UUID", type=uuid.UUID)
    trust.add_argument("--log", metavar="ORIGIN", help="which log, where this site follows several (see `logs`)")
    trust.add_argument(
        "--pin-log", action="store_true", help="also refuse bundles older than the last checkpoint signed here"
    )
    trust.set_defaults(command=_trust)


def _logs(args: argparse.Namespace) -> int:
    for log in WitnessBook(open_site(args.folder).journal).logs():
        say(f"{log.key.name}  {log.size} records  {to_hex(log.root)}")
        say(f"    {log.key}")
    return 0


def _trust(args: argparse.Namespace) -> int:
    site = open_site(args.folder)
    configuration = site.configuration
    consortium = consortium_of(args.consortium, configuration.chain_id, site.pins.of(args.consortium))
    names = NameBook(configuration.organization, configuration.name)
    made = trust_file(site.chain, consortium, _log(site, args.log), names, pin_log=args.pin_log)
    say_json(made)
    return 0


def _log(site: Site, origin: str | None) -> Seen:
    followed = WitnessBook(site.journal).logs()
    chosen = [log for log in followed if origin in (None, log.key.name)]
    if len(chosen) != 1:
        known = ", ".join(log.key.name for log in followed) or "none yet"
        raise InvalidInputError(f"Name the log with --log. This site follows: {known}.")
    return chosen[0]
