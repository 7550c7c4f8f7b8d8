"""Make organizations with their first people from a document."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from consortium.common.tenancy import act_for_all
from consortium.kernel.errors import ConsiliumError
from consortium.membership.models import Organization
from consortium.membership.services.organizations import FirstPerson, create_organization

KEYS = {"slug", "name", "people"}
MAY = {"country"}


class Command(BaseCommand):
    help = (
        "Make organizations from a JSON list of {slug, name, country, people: [{email, name, roles, pass_phrase}]}, "
        "the country (ISO 3166-1, two letters) where it is known: "
        "all or none; prints their ids."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("document", type=Path, help="readable by you alone: it holds pass phrases")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            entries = json.loads(options["document"].read_text())
            with transaction.atomic(), act_for_all():
                made = [self._make(entry) for entry in entries]
        except (OSError, ValueError) as error:
            raise CommandError(f"The document cannot be read: {error}") from error
        except ConsiliumError as error:
            raise CommandError(error.message) from error
        self.stdout.write(json.dumps({organization.slug: str(organization.pk) for organization in made}))

    @staticmethod
    def _make(entry: Any) -> Organization:
        if not isinstance(entry, dict) or entry.keys() - MAY != KEYS:
            raise CommandError(f"Each entry has the keys {', '.join(sorted(KEYS))}, and may have country.")
        try:
            people = [FirstPerson(**person) for person in entry["people"]]
        except TypeError as error:
            raise CommandError(f"People of {entry['slug']} have email, name, roles and pass_phrase.") from error
        known = {"name": entry["name"], "slug": entry["slug"], "country": entry.get("country", "")}
        return create_organization(**known, people=people)
