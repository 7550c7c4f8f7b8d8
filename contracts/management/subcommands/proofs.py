"""`chain proofs`: capture what bundles need and no node has given yet, and say what is missing and why."""

import json
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError, OutputWrapper

from consortium.common.tenancy import act_for_all
from consortium.kernel.errors import ConsiliumError
from contracts.chain import chain_from_settings
from contracts.interface import Chain
from contracts.models import BlockProof
from contracts.reading.proof_keeping import gives_proofs, keep_genesis, sweep_proofs

HELP = "Capture the proofs of blocks that bundles need."
DESCRIPTION = (
    HELP + " Asks every node of CHAIN_RPC_URL for all that is missing, also of consortia that were founded before "
    "proofs were kept. Exit status 1 if anything stays missing."
)


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--genesis", metavar="FILE", help="take block 0 from the network's genesis.json")


def handle(out: OutputWrapper, options: Mapping[str, Any]) -> None:
    try:
        with act_for_all():
            is_complete = run(out, chain_from_settings(), options["genesis"])
    except ConsiliumError as error:
        raise CommandError(f"{error.code}: {error.message}") from error
    if not is_complete:
        raise SystemExit(1)


def run(out: OutputWrapper, chain: Chain, genesis: str | None) -> bool:
    """Capture as the system's role; return whether nothing is missing."""
    if not gives_proofs(chain):
        out.write("A development chain: nobody seals its blocks, so there is nothing to capture.")
        return True
    if genesis is not None:
        keep_genesis(chain, _document(Path(genesis)))
    sweep_proofs(chain, with_history=True, at_once=True)
    missing = list(BlockProof.objects.filter(captured_at__isnull=True))
    out.write(f"{BlockProof.objects.exclude(captured_at=None).count()} blocks are captured, {len(missing)} are not.")
    for proof in missing:
        out.write(f"       {proof}: {proof.missing_text}")
    return not missing


def _document(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CommandError(f"{file} cannot be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise CommandError(f"{file} holds no genesis.")
    return found
