"""`chain join`: how far a new member's node is on its way to validating."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, OutputWrapper
from django.db import DatabaseError

from consortium.common.tenancy import WrongDatabaseRoleError
from consortium.kernel.errors import ConsiliumError
from contracts.chain import chain_from_settings
from contracts.network.applicants import Applicant
from contracts.network.joining import Candidate, exit_status, look_at_steps
from contracts.network.points import lines_of
from contracts.network.watching import candidate_from_settings

HELP = "Show how far a new member's node is, from application to validating, and what comes next."
DESCRIPTION = (
    HELP + " Changes nothing: people, votes and the reconciler do the steps; ask again at any moment. "
    "Exit status 0: done; 1: something is waited for; 2: something is wrong."
)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("organization", metavar="ORGANIZATION", help="its short name")
    parser.add_argument("--consortium", required=True, metavar="NAME", help="the consortium's short name")
    parser.add_argument("--enode", default="", metavar="ENODE", help="its node, where the application names none")
    parser.add_argument(
        *("--node",),
        default="",
        metavar="URL",
        help="the new node itself, where it is within reach: its operations port (ws, wss), or its RPC (http)",
    )
    parser.add_argument("--node-token-file", type=Path, metavar="FILE", help="token that --node takes")
    parser.add_argument("--json", action="store_true", help="print the steps as JSON")


def handle(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    try:
        candidate = _candidate(options)
    except WrongDatabaseRoleError as error:
        raise CommandError("Applications are read as the system's database role. Use its DATABASE_URL.") from error
    except ConsiliumError as error:
        raise CommandError(error.message) from error
    except DatabaseError as error:
        raise CommandError("PostgreSQL does not answer. Start it, or correct DATABASE_URL.") from error
    steps = look_at_steps(candidate)
    status = exit_status(steps)
    if options["json"]:
        out.write(json.dumps({"status": status, "steps": [asdict(step) for step in steps]}, indent=2))
    else:
        out.write("\n".join(line for step in steps for line in lines_of(step)))
    if status:
        raise SystemExit(status)


def _candidate(options: Mapping[str, Any]) -> Candidate:
    chain = chain_from_settings()
    found = candidate_from_settings(
        chain,
        consortium=options["consortium"],
        organization=options["organization"],
        node=options["node"],
        token_file=options["node_token_file"],
    )
    applicant: Applicant | None = found.applicant
    if applicant and options["enode"]:
        return replace(found, applicant=replace(applicant, enode=options["enode"]))
    return found
