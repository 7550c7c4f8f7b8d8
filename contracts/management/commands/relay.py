"""The relay's keys: make them, name their addresses, ask a remote signer for a signature of each."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from contracts.relay import (
    AnyRelay,
    RelayKeyError,
    create_relay,
    key_files,
    key_passphrase,
    load_relay,
    remote_relays,
    require_keys,
)


class Command(BaseCommand):
    help = (
        "Make the relay's key files (`create`; those that are there are kept), print all addresses, those behind a "
        "signer first (`show`), or have each key sign something that is no transaction (`check`; exit status 1 if one "
        "does not)."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("action", choices=["create", "show", "check"])

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            relays = _relays(may_create=options["action"] == "create")
        except RelayKeyError as error:
            raise CommandError(error.message) from error
        if options["action"] == "check":
            self._check(relays)
        else:
            self.stdout.write("\n".join(relay.address for relay in relays))

    def _check(self, relays: list[AnyRelay]) -> None:
        faults = [(relay, relay.fault()) for relay in relays]
        for relay, fault in faults:
            word = "signs" if fault is None else f"does not sign: {fault.message}"
            self.stdout.write(f"{relay.address} ({relay.place}) {word}")
        if any(fault is not None for _, fault in faults):
            raise SystemExit(1)


def _relays(*, may_create: bool) -> list[AnyRelay]:
    passphrase = key_passphrase()
    opened = [_relay(path, passphrase, may_create=may_create) for path in key_files()]
    return require_keys([*remote_relays(), *opened])


def _relay(path: Path, passphrase: str | None, *, may_create: bool) -> AnyRelay:
    if may_create and not path.exists():
        return create_relay(path, passphrase=passphrase)
    return load_relay(path, passphrase=passphrase)
