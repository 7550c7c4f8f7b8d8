"""Commands on the member's own people."""

import argparse
from typing import TYPE_CHECKING

from agent.commands.terminal import add_pass_phrase, pass_phrase, say
from agent.people import Role
from agent.site import open_site

if TYPE_CHECKING:
    from agent.commands.terminal import Subcommands


def add_to(commands: "Subcommands") -> None:
    """Add people."""
    people = commands.add_parser("people", help="the member's own voters and stewards").add_subparsers(required=True)
    add = people.add_parser("add", help="add a person; the pass phrase is asked for")
    add.add_argument("name", help="log-in name in small letters")
    add.add_argument("--display-name", default="", help="the name to show")
    add.add_argument("--role", required=True, action="append", choices=[role.value for role in Role])
    add_pass_phrase(add)
    add.set_defaults(command=_add)


def _add(args: argparse.Namespace) -> int:
    site = open_site(args.folder)
    roles = frozenset(Role(role) for role in args.role)
    person = site.people.add(
        name=args.name, display_name=args.display_name or args.name, roles=roles, pass_phrase=pass_phrase(args)
    )
    site.journal.record("person", "added", person=person.name, roles=sorted(roles))
    say(f"Added {person.name} as {', '.join(sorted(roles))}.")
    return 0
