"""Make the account of somebody who runs the deployment."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from consortium.common.tenancy import act_for_all
from consortium.kernel.errors import ConsiliumError
from consortium.membership.models import User
from consortium.membership.services.people import create_person, set_pass_phrase


class Command(BaseCommand):
    help = "Make the account of an operator, who runs the deployment and sees no tenant's rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email", help="the address to log in with")
        parser.add_argument("--name", default="Operator", help="the name that others see")
        parser.add_argument("--pass-phrase-file", required=True, type=Path, help="a file that holds the pass phrase")
        parser.add_argument("--replace", action="store_true", help="give an account that is there the new pass phrase")

    def handle(self, *args: Any, **options: Any) -> None:
        with transaction.atomic(), act_for_all():
            try:
                phrase = options["pass_phrase_file"].read_text().strip()
                known = User.objects.filter(email=options["email"].lower(), is_operator=True).first()
                if known is not None and options["replace"]:
                    set_pass_phrase(user=known, password=phrase)
                else:
                    create_person(email=options["email"], name=options["name"], password=phrase, is_operator=True)
            except OSError as error:
                raise CommandError(f"The pass phrase file cannot be read: {error.strerror}.") from error
            except ConsiliumError as error:
                raise CommandError(error.message) from error
        self.stdout.write(f"{options['email']} can log in.")
