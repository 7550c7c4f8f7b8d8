"""Let a program get tokens for people from the embedded OpenID provider."""

from argparse import ArgumentParser
from typing import Any

from allauth.idp.oidc.models import Client
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    help = "Register a public program (no secret, PKCE) at the embedded OpenID provider; one that is there is kept."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("id", help="the program's client id")
        parser.add_argument("--name", default="", help="the name that people see")
        parser.add_argument("--redirect-uri", required=True, help="where the code goes: a loopback address (RFC 8252)")
        parser.add_argument("--skip-consent", action="store_true", help="do not ask people: for the deployment's own")

    def handle(self, *args: Any, **options: Any) -> None:
        Client.objects.get_or_create(
            id=options["id"],
            defaults={
                "name": options["name"] or options["id"],
                "type": Client.Type.PUBLIC,
                "redirect_uris": options["redirect_uri"],
                "scopes": "openid",
                "skip_consent": options["skip_consent"],
            },
        )
        self.stdout.write(f"{options['id']} can ask for tokens.")
