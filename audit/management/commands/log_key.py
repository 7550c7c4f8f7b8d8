"""The key that signs the logs' checkpoints: make it, show its public half."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from audit.log.keys import create_key, key_path, verifier_of
from audit.models import AuditLog
from consortium.common.tenancy import act_for_all
from consortium.kernel.errors import ConsiliumError


class Command(BaseCommand):
    help = "Make the Ed25519 key that signs checkpoints, or print the logs' verifier keys for trust files."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("act", choices=["create", "show"])
        parser.add_argument("--if-missing", action="store_true", help="with create: a key that is there is fine")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            if options["act"] == "create":
                self._create(if_missing=options["if_missing"])
            else:
                self._show()
        except ConsiliumError as error:
            raise CommandError(error.message) from error

    def _create(self, *, if_missing: bool) -> None:
        path = key_path()
        if if_missing and path.exists():
            self.stdout.write(f"{path.name} is there.")
            return
        create_key(path)
        self.stdout.write(f"{path.name} is made. Keep a copy apart from the database's.")

    def _show(self) -> None:
        with transaction.atomic(), act_for_all():
            for log in AuditLog.objects.all():
                self.stdout.write(str(verifier_of(log)))
