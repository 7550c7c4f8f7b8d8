"""The relay's key: make it, name its address."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from contracts.relay import RelayKeyError, create_relay, key_file, key_passphrase, load_relay


class Command(BaseCommand):
    help = "Make the relay's key (`create`; one that is there is kept), or print its address (`show`)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["create", "show"])

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            path, passphrase = key_file(), key_passphrase()
            if options["action"] == "create" and not path.exists():
                relay = create_relay(path, passphrase=passphrase)
            else:
                relay = load_relay(path, passphrase=passphrase)
        except RelayKeyError as error:
            raise CommandError(error.message) from error
        self.stdout.write(relay.address)
