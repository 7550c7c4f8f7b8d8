"""Say what is wrong with a set-up and how to mend it."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand

from consortium.common.health import findings


class Command(BaseCommand):
    help = "Name what is wrong with this set-up and how to mend it; exit status 1 if anything is."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="print the findings as JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        found = findings()
        if options["json"]:
            self.stdout.write(json.dumps([asdict(finding) for finding in found], indent=2))
        else:
            for finding in found:
                self.stdout.write(f"{'well ' if finding.well else 'WRONG'}  {finding.name}: {finding.text}")
                if not finding.well:
                    self.stdout.write(f"       {finding.remedy}")
        if not all(finding.well for finding in found):
            raise SystemExit(1)
