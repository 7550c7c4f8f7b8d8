"""`consilium-site`: the member's command line."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import MappingProxyType

from agent.training.confinement import keep_memory_private
from consortium.kernel.errors import ConsiliumError

FOLDER_VARIABLE = "CONSILIUM_SITE_FOLDER"
Command = Callable[[argparse.Namespace], int]
# Each module adds its own commands. All of them together take most of a second to import, so one is.
MODULES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "agent.commands.folder": ("init", "log"),
        "agent.commands.keys": ("keys", "signer"),
        "agent.commands.service": ("run", "status", "doctor", "walls", "contracts"),
        "agent.commands.network": ("reconcile",),
        "agent.commands.people": ("people",),
        "agent.commands.ballots": ("ballots", "propose"),
        "agent.commands.vetoes": ("guardian",),
        "agent.consents.cli": ("consents",),
        "agent.data.cli": ("data-set",),
        "agent.commands.plans": ("plans",),
        "agent.commands.runs": ("runs",),
        "agent.commands.witness": ("logs", "trust"),
    }
)


def parser(arguments: Sequence[str] = ()) -> argparse.ArgumentParser:
    """Return the parser of the command that the arguments name, else of all commands.

    Each command is a function in `args.command`.
    """
    made = argparse.ArgumentParser(
        prog="consilium-site",
        description="The program that a member of a Consilium consortium runs beside its data.",
        parents=[_common()],
    )
    commands = made.add_subparsers(title="commands", required=True, metavar="COMMAND")
    _options, rest = _common().parse_known_args(arguments)
    named = [module for module, words in MODULES.items() if rest and rest[0] in words]
    for module in named or MODULES:
        import_module(module).add_to(commands)
    return made


def _common() -> argparse.ArgumentParser:
    """Return what stands before the command."""
    made = argparse.ArgumentParser(add_help=False)
    made.add_argument(
        *("-f", "--folder"),
        type=Path,
        default=Path(os.environ.get(FOLDER_VARIABLE, "site")),
        help=f"the site's folder (default: the environment's {FOLDER_VARIABLE}, else ./site)",
    )
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; 0 done, 1 refused or not well, 2 misuse."""
    # In a pod a plan's code is of this user too: it reads no key out of a command's memory.
    keep_memory_private()
    # Whatever is made, side files of SQLite among it, is the site's user's alone.
    os.umask(0o077)
    given = sys.argv[1:] if arguments is None else arguments
    args = parser(given).parse_args(given)
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
