"""Make an organization and its first administrator."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from consortium.common.tenancy import act_for_all
from consortium.kernel.errors import ConsiliumError
from consortium.membership.services.organizations import create_organization


class Command(BaseCommand):
    help = "Make an organization and its first administrator; prints its id as JSON."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("slug", help="short name, as in addresses")
        parser.add_argument("--name", required=True, help="name that others see")
        parser.add_argument("--admin", required=True, help="the administrator's e-mail address")
        parser.add_argument("--pass-phrase-file", required=True, type=Path, help="a file that holds the pass phrase")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            phrase = options["pass_phrase_file"].read_text().strip()
            with transaction.atomic(), act_for_all():
                organization = create_organization(
                    name=options["name"], slug=options["slug"], admin_email=options["admin"], admin_password=phrase
                )
        except OSError as error:
            raise CommandError(f"The pass phrase file cannot be read: {error.strerror}.") from error
        except ConsiliumError as error:
            raise CommandError(error.message) from error
        self.stdout.write(json.dumps({"id": str(organization.pk), "slug": organization.slug}))
