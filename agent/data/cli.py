"""Commands about data sets: describe, check, register."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from agent.commands.terminal import say
from agent.consents.cli import add_consortium, consortia_of, deliver
from agent.consents.office import ConsentOffice
from agent.data.checking import Checked, check_table
from agent.data.description import Description, read_description
from agent.data.drafting import draft_description
from agent.site import open_site

if TYPE_CHECKING:
    from agent.commands.terminal import Subcommands


def add_to(commands: "Subcommands") -> None:
    """Add data-set."""
    data_set = commands.add_parser("data-set", help="the member's data sets").add_subparsers(
        required=True, metavar="COMMAND"
    )
    describe = data_set.add_parser("describe", help="draft a data-set file (TOML) from a table, for you to correct")
    describe.add_argument("table", type=Path, metavar="TABLE", help="CSV in UTF-8 with a header, or Parquet")
    describe.add_argument("--subject", default="", metavar="COLUMN", help="holds the id that consents know")
    describe.add_argument("--target", default="", metavar="COLUMN", help="is to be predicted")
    describe.set_defaults(command=_describe)
    check = data_set.add_parser("check", help="hold the table to its data-set file, row by row; sends nothing")
    check.set_defaults(command=_check)
    register = data_set.add_parser("register", help="check, and tell the consortium schema, band and terms")
    add_consortium(register)
    register.set_defaults(command=_register)
    for one in (check, register):
        one.add_argument("file", type=Path, metavar="FILE", help="the data-set file; its table lies beside it")


def _describe(args: argparse.Namespace) -> int:
    sys.stdout.write(draft_description(args.table, subject=args.subject, target=args.target))
    return 0


def _check(args: argparse.Namespace) -> int:
    description = read_description(args.file)
    found = check_table(description)
    _tell(description, found)
    for problem in found.problems:
        say(problem)
    if found.problem_count > len(found.problems):
        say(f"and {found.problem_count - len(found.problems)} more")
    say("The table keeps to its description." if found.is_sound else f"{found.problem_count} problems.")
    return 0 if found.is_sound else 1


def _tell(description: Description, found: Checked) -> None:
    """Say what is there, exactly: for the member's own eyes."""
    say(f"{description.name}: {found.rows} rows of {found.subjects} subjects")
    for name, count in sorted(found.missing.items()):
        what = " and are left out of training" if name == description.target else ""
        say(f"{count} rows lack {name}{what}")


def _register(args: argparse.Namespace) -> int:
    office = ConsentOffice(open_site(args.folder))
    for consortium in consortia_of(office, args):
        document = office.data_sets.register(args.file, consortium=consortium)
        say(f"{document.name}: schema {document.schema_digest}, band {document.band}")
    deliver(office)
    return 0
