"""`chain prune`: drop what the chain holds anyway of calls that were settled long ago."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.core.management.base import CommandError, OutputWrapper

from consortium.common.tenancy import act_for_all
from consortium.kernel.errors import ConsiliumError
from contracts.chain import chain_from_settings
from contracts.sending.pruning import prune

HELP = "Drop signed bytes and arguments of calls that were settled long ago."
DESCRIPTION = (
    HELP + " Rows stay, with keys, ids, hashes, blocks and outcomes. Each call is dropped only if a node gives its "
    "receipt. Failed calls and events are not touched."
)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--older-than-days", type=int, required=True, metavar="DAYS", help="age since they were settled; 7 at least"
    )
    parser.add_argument("--dry-run", action="store_true", help="count, and drop nothing")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")


def handle(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    try:
        with act_for_all():
            age = timedelta(days=options["older_than_days"])
            report = prune(chain_from_settings(), older_than=age, dry_run=options["dry_run"])
    except (ConsiliumError, OverflowError) as error:
        raise CommandError(_words(error)) from error
    out.write(json.dumps(asdict(report), default=str) if options["json"] else report.in_words())


def _words(error: Exception) -> str:
    return f"{error.code}: {error.message}" if isinstance(error, ConsiliumError) else "There is no age of so many days."
