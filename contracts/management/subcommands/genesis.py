"""`chain genesis`: the files of a network of our own."""

from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, OutputWrapper

from consortium.kernel.errors import ConsiliumError
from contracts.network.making import MadeNetwork, make_network

HELP = "Make a Besu network's files: genesis, and for each member a folder with what its node needs."
DESCRIPTION = (
    HELP + " Reads a members file (YAML; docs/guides/operator.md has its form), asks no node and no database, writes "
    "everything or nothing, and never over what is there."
)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--members", type=Path, required=True, metavar="FILE", help="the members file")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a folder that is missing or empty")
    parser.add_argument(
        *("--relay",),
        action="append",
        required=True,
        metavar="ADDRESS",
        help="account that may send (`manage.py relay show`); the first writes the validator list until the "
        "founding hands it over; may be given several times",
    )


def handle(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    try:
        made = make_network(_read(options["members"]), relays=options["relay"], target=options["out"])
    except ConsiliumError as error:
        raise CommandError(error.message) from error
    except OSError as error:
        raise CommandError(f"{options['out']} cannot be written: {error.strerror}. Nothing was left there.") from error
    _say(out, made, options["out"])


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror}.") from error


def _say(out: OutputWrapper, made: MadeNetwork, target: Path) -> None:
    out.write(f"The network {made.name} of {len(made.nodes)} members is written to {target}.")
    for node in made.nodes:
        key = "its node.key is there" if node.private_key else "it has made its own key"
        out.write(f"  {node.member.name}  {node.enode.address}  {key}")
    out.write(
        "Hand each member its folder by a way that nobody else reads, then delete the keys here. "
        "Each README.md says how to start and what to compare first."
    )
