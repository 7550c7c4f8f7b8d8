"""How a network of our own is made, how a member joins it, and how the chain is."""

from argparse import ArgumentParser
from types import ModuleType
from typing import Any

from django.core.management.base import BaseCommand

from contracts.management.subcommands import genesis, join, peer, proofs, prune, replay, status

SUBCOMMANDS: dict[str, ModuleType] = {
    **{"genesis": genesis, "join": join, "status": status, "replay": replay, "proofs": proofs, "peer": peer},
    "prune": prune,
}


class Command(BaseCommand):
    help = "Make a network, follow a member that joins it, see how the chain is, compare rows, keep proofs, prune."

    def add_arguments(self, parser: ArgumentParser) -> None:
        below = parser.add_subparsers(dest="action", required=True, metavar="COMMAND")
        for name, module in SUBCOMMANDS.items():
            known: dict[str, Any] = {"help": module.HELP, "description": module.DESCRIPTION}
            # As Django has it: at a terminal a wrong call is answered with the usage, in a program by CommandError.
            at_terminal: dict[str, Any] = {
                "called_from_command_line": getattr(self, "_called_from_command_line", False)
            }
            module.add_arguments(below.add_parser(name, **known, **at_terminal))

    def handle(self, *args: Any, **options: Any) -> None:
        SUBCOMMANDS[options["action"]].handle(self.stdout, options)
