"""The relay's keys: make them, name their addresses."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from contracts.relay import Relay, RelayKeyError, create_relay, key_files, key_passphrase, load_relay


class Command(BaseCommand):
    help = "Make the relay's keys (`create`; those that are there are kept), or print their addresses (`show`)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["create", "show"])

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            passphrase = key_passphrase()
            relays = [_relay(path, passphrase, may_create=options["action"] == "create") for path in key_files()]
        except RelayKeyError as error:
            raise CommandError(error.message) from error
        self.stdout.write("\n".join(relay.address for relay in relays))


def _relay(path: Path, passphrase: str | None, *, may_create: bool) -> Relay:
    if may_create and not path.exists():
        return create_relay(path, passphrase=passphrase)
    return load_relay(path, passphrase=passphrase)
