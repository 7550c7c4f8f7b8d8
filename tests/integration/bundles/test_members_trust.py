"""The trust file that a member makes by itself, from its own node and journal, accepts a real bundle."""

import argparse
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

import agent.keystore
from agent.commands import witness as commands
from agent.configuration import Configuration
from agent.errors import ChainNotTrustedError
from agent.founding import found_site
from agent.site import Site, open_site
from agent.witness_book import Seen, WitnessBook
from audit.bundles.storage import bundle_path
from audit.bundles.trust import export_trust
from audit.log.keys import verifier_of
from audit.models import Checkpoint
from consortium.common.tenancy import act_for
from consortium.kernel.errors import InvalidInputError
from consortium.kernel.notes import NoteKey
from consortium.membership.selectors import contracts_of
from tests.integration.bundles.conftest import ask_for_bundle, make
from tests.integration.bundles.verifying import verify

pytestmark = pytest.mark.services


@pytest.fixture
def site(tmp_path: Path, world, chain, node, monkeypatch: pytest.MonkeyPatch, as_system) -> Iterator[Site]:
    """The bank's site: it has pinned the contracts."""
    monkeypatch.setattr(agent.keystore, "SCRYPT_COST", 2)
    configuration = Configuration(world.bank.pk, "Bank", "http://127.0.0.1:9", settings.CHAIN_ID, (node.url,), port=0)
    found_site(tmp_path / "site", configuration)
    made = open_site(tmp_path / "site")
    with as_system():
        made.pins.pin(world.consortium.pk, contracts_of(world.consortium.pk))
    yield made
    made.journal.close()


def run(site: Site, *arguments: str) -> int:
    """Run a command of the witness as `consilium-site` does."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    commands.add_to(parser.add_subparsers())
    args = parser.parse_args(["--folder", str(site.folder.root), *arguments])
    status: int = args.command(args)
    return status


@pytest.fixture
def cosigned(site: Site, anchored_log, as_system) -> Callable[[int], Checkpoint]:
    """The site has signed the log at the checkpoint of that place, counted from the oldest."""

    def sign(place: int) -> Checkpoint:
        with as_system():
            checkpoint = list(Checkpoint.objects.filter(log=anchored_log).order_by("size"))[place]
            key = verifier_of(anchored_log)
        WitnessBook(site.journal).advance(Seen(key, checkpoint.size, bytes(checkpoint.root)))
        return checkpoint

    return sign


def test_a_members_own_trust_file_accepts_a_real_bundle(site, cosigned, world, chain, capsys, tmp_path):
    cosigned(0)
    bundle = make(ask_for_bundle(world), chain.gateway)

    assert run(site, "trust", str(world.consortium.pk)) == 0
    trust = json.loads(capsys.readouterr().out)

    answer = verify(bundle_path(bundle.pk).read_bytes(), trust, tmp_path)
    assert (answer.verdict, answer.refusals) == ("verified", [])
    assert trust["witness_quorum"] == 2
    assert trust == export_of(world, chain) | {
        "organizations": trust["organizations"],
        "chain": {"chain_id": 417_001, "genesis": "0x" + chain.gateway.genesis().hex()},
    }


def export_of(world, chain) -> dict[str, Any]:
    """What the platform says of itself: an honest one says the same."""
    with act_for(organization_id=world.bank.pk):
        return export_trust(world.consortium.pk, chain=chain.gateway)


def test_a_pinned_log_refuses_a_bundle_of_a_log_that_was_cut_back(
    site, cosigned, world, chain, capsys, tmp_path, act, keep
):
    bundle = make(ask_for_bundle(world), chain.gateway)
    with pytest.MonkeyPatch().context() as impatient:
        impatient.setattr("audit.log.pacing.PATIENCE", timedelta())
        act(7)
        keep()
    cosigned(-1)

    run(site, "trust", str(world.consortium.pk), "--pin-log")
    trust = json.loads(capsys.readouterr().out)

    answer = verify(bundle_path(bundle.pk).read_bytes(), trust, tmp_path)
    assert answer.verdict == "refused"
    assert any("shr" in refusal["reason"] or "short" in refusal["reason"] for refusal in answer.refusals)


def test_logs_are_listed_with_what_was_signed_last(site, cosigned, capsys):
    checkpoint = cosigned(1)

    assert run(site, "logs") == 0

    first, second = capsys.readouterr().out.splitlines()
    assert first == f"{checkpoint.origin}  {checkpoint.size} records  0x{bytes(checkpoint.root).hex()}"
    assert NoteKey.parse(second.strip()).name == checkpoint.origin


def test_without_a_log_or_contracts_no_trust_file_is_made(site, world):
    with pytest.raises(InvalidInputError, match="none yet"):
        run(site, "trust", str(world.consortium.pk))
    with pytest.raises(ChainNotTrustedError, match="checked no contracts"):
        run(site, "trust", str(world.other_consortium.pk))
