"""Found a consortium: put its contracts on the chain with the founders that a document names."""

import json
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from consortium.common.tenancy import act_for_all
from consortium.kernel.errors import ConsiliumError
from consortium.kernel.secp256k1 import checksum_address
from consortium.membership.services.founding import complete_founding, parse_founding, register_founding
from contracts.chain import chain_from_settings
from contracts.deployment import deploy_consortium
from contracts.relay import relay_from_settings


class Command(BaseCommand):
    help = "Found a consortium from a document (JSON); killed in the middle, the same call goes on where it stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("document", type=Path, help="docs/guides/operator.md shows one")
        parser.add_argument(
            *("--validator-source",),
            default="",
            metavar="ADDRESS",
            help="the validator list that the network's genesis holds, if it does: `manage.py chain genesis`",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            document = parse_founding(json.loads(options["document"].read_text()))
            with act_for_all():
                founding = register_founding(document, chain_id=settings.CHAIN_ID)
                if address := options["validator_source"]:
                    founding = replace(founding, source_address=checksum_address(address))
                deployed = deploy_consortium(chain_from_settings(), relay_from_settings(), founding)
                complete_founding(founding.consortium_id)
        except (OSError, ValueError) as error:
            raise CommandError(f"The document cannot be read: {error}") from error
        except ConsiliumError as error:
            raise CommandError(error.message) from error
        contracts = {deployment.name: deployment.address for deployment in deployed}
        self.stdout.write(json.dumps({"id": str(founding.consortium_id), "contracts": contracts}))
