"""`chain replay`: are the read models what the chain's events say?"""

from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.core.management.base import OutputWrapper

from contracts.reading import replay

HELP = "Handle all events again in a shadow, and compare it with the live rows."
DESCRIPTION = HELP + " Nothing is changed; exit status 1 where anything differs."


def add_arguments(parser: ArgumentParser) -> None:
    """The options of `chain replay`."""
    replay.add_arguments(parser)


def handle(stdout: OutputWrapper, options: Mapping[str, Any]) -> None:
    """Replay and print."""
    replay.run(options)
