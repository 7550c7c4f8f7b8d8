"""How commands speak and ask: plain lines, pass phrases never on the command line."""

import argparse
import getpass
import json
import sys
from pathlib import Path
from typing import Any, TypeAlias

from agent.errors import PersonRefusedError
from agent.folder import read_private
from agent.people import Person
from agent.site import Site

Subcommands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def say(text: str) -> None:
    """Write one line for people."""
    sys.stdout.write(f"{text}\n")


def say_json(value: Any) -> None:
    """Write a value for programs."""
    sys.stdout.write(json.dumps(value, indent=1, sort_keys=True) + "\n")


def add_person(parser: argparse.ArgumentParser) -> None:
    """Let a command know who gives it."""
    parser.add_argument(
        "--as", dest="person", required=True, metavar="NAME", help="log-in name of the person who does it"
    )
    add_pass_phrase(parser)


def add_pass_phrase(parser: argparse.ArgumentParser) -> None:
    """Let a pass phrase come from a private file; otherwise it is asked for."""
    help_text = "file (0600) that holds the person's pass phrase; without it you are asked"
    parser.add_argument("--pass-phrase-file", type=Path, metavar="FILE", help=help_text)


def pass_phrase(args: argparse.Namespace) -> str:
    """Return the pass phrase from the file, else from the terminal without showing it."""
    if args.pass_phrase_file is not None:
        return read_private(args.pass_phrase_file).decode(errors="replace").strip("\r\n")
    try:
        return getpass.getpass("Pass phrase: ")
    except EOFError as error:
        raise PersonRefusedError("No pass phrase was given. Use a terminal, or --pass-phrase-file.") from error


def prove(site: Site, args: argparse.Namespace) -> Person:
    """Return the person who gives the command; a wrong pass phrase is in the journal."""
    try:
        return site.people.authenticate(args.person, pass_phrase(args))
    except PersonRefusedError:
        known = args.person if site.people.find(args.person) else "unknown"
        site.journal.record("person", "refused", person=known)
        raise


def proven_by_file(site: Site, args: argparse.Namespace) -> Person | None:
    """Return who gives the command by a file, so that a wrong one asks nothing of anybody; None for a person.

    A person reads the sentence first and gives the pass phrase after it: `prove`.
    """
    return None if args.pass_phrase_file is None else prove(site, args)
