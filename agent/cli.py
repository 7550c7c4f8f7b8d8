"""`consilium-site`: the member's command line."""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from agent.commands import ballots, folder, people, plans, runs, service, witness
from agent.consents import cli as consents
from consortium.kernel.errors import ConsiliumError

FOLDER_VARIABLE = "CONSILIUM_SITE_FOLDER"
Command = Callable[[argparse.Namespace], int]


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands; each command is a function in `args.command`."""
    made = argparse.ArgumentParser(
        prog="consilium-site",
        description="The program that a member of a Consilium consortium runs beside its data.",
    )
    made.add_argument(
        *("-f", "--folder"),
        type=Path,
        default=Path(os.environ.get(FOLDER_VARIABLE, "site")),
        help=f"the site's folder (default: the environment's {FOLDER_VARIABLE}, else ./site)",
    )
    commands = made.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for module in (folder, service, people, ballots, consents, plans, runs, witness):
        module.add_to(commands)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 refused or not well, 2 misuse."""
    # Whatever is made, side files of SQLite among it, is the site's user's alone.
    os.umask(0o077)
    args = parser().parse_args(arguments)
    command: Command = args.command
    try:
        return command(args)
    except ConsiliumError as error:
        sys.stderr.write(f"consilium-site: {error.message}\n")
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
