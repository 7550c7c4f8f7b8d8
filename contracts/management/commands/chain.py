"""How the chain is, how a network of our own is made, and how a member joins it."""

from argparse import ArgumentParser
from types import ModuleType
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from contracts.management.subcommands import genesis, join, status

SUBCOMMANDS: dict[str, ModuleType] = {"genesis": genesis, "join": join, "status": status}


class Command(BaseCommand):
    help = "Make a network, join it, and see how it is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        below = parser.add_subparsers(dest="action", required=True, metavar="COMMAND", parser_class=_Plain)
        for name, module in SUBCOMMANDS.items():
            module.add_arguments(below.add_parser(name, help=module.HELP, description=module.DESCRIPTION))

    def handle(self, *args: Any, **options: Any) -> None:
        SUBCOMMANDS[options["action"]].handle(self.stdout, options)


class _Plain(CommandParser):
    """A sub-command's parser: errors leave with status 2, as argparse has it, and not as Django's own."""
