"""The agent's round and the command line: what they do when the platform answers, refuses, or is away."""

import argparse
import asyncio
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.client import OfferedConsortium
from agent.consents import cli
from agent.consents.loop import ConsentLoop
from agent.errors import PlatformAwayError, PlatformRefusedError
from tests.unit.agent.worlds import CHAIN_ID, CONSORTIUM, PHRASE
from tests.unit.agent_consents.worlds import (
    CONTRACTS,
    SHARED,
    anchor,
    chain_of,
    generated,
    import_generated,
    select,
    write_lines,
)


@dataclass
class FakePlatform:
    """The channel as the round sees it: carries epochs and revocations to the chain at once."""

    office: Any
    withdrawals: list[dict[str, Any]] = field(default_factory=list)
    taken: list[tuple[str, str]] = field(default_factory=list)
    is_away: bool = False
    refuses: str = ""

    async def consortia(self) -> list[OfferedConsortium]:
        self._answer()
        return [OfferedConsortium(CONSORTIUM, "Arizona Cardiac", CHAIN_ID, CONTRACTS, "active")]

    async def get(self, path: str) -> httpx.Response:
        self._answer()
        assert path == "/api/v1/agent/consents/withdrawals"
        return httpx.Response(200, json={"results": self.withdrawals})

    async def post(self, path: str, body: dict[str, Any], *, idempotency_key: str) -> None:
        self._answer()
        if self.refuses and path.endswith(self.refuses):
            raise PlatformRefusedError("no", status=400, reason="batch_refused")
        if path.endswith(("/epochs", "/revocations")):
            chain_of(self.office).submit(path, body)
        self.taken.append((path.rsplit("/", 1)[1], idempotency_key))

    def _answer(self) -> None:
        if self.is_away:
            raise PlatformAwayError("away")


@pytest.fixture
def platform(office) -> FakePlatform:
    return FakePlatform(office)


@pytest.fixture
def loop(office, platform, monkeypatch) -> ConsentLoop:
    monkeypatch.setattr(office, "checked", lambda _offered: SHARED)
    return ConsentLoop(office, platform)


def go(loop: ConsentLoop) -> Any:
    return asyncio.run(loop.go_round())


def kinds(platform: FakePlatform) -> list[str]:
    return [kind for kind, _key in platform.taken]


def test_rounds_carry_an_import_an_epoch_and_a_withdrawal_to_the_chain(office, loop, platform):
    made = import_generated(office, 20)
    assert go(loop) == {CONSORTIUM: "anchored"}
    assert go(loop) == {CONSORTIUM: "idle"}
    record = min(made.permitting())
    platform.withdrawals = [
        {
            **{"id": str(uuid.UUID(int=9)), "pseudonym": office.withdrawals.pseudonym_of(record)},
            **{"consents": [], "reason": "objection", "recorded_at": "2026-11-23T12:00:00Z"},
        }
    ]

    assert go(loop) == {CONSORTIUM: "revoked"}
    assert go(loop) == {CONSORTIUM: "idle"}

    assert kinds(platform) == ["batches", "epochs", "receipt", "revocations"]
    assert record not in select(office).records.values()


def test_what_is_due_is_signed_while_the_platform_is_away_and_carried_when_it_is_back(office, loop, platform):
    go(loop)
    import_generated(office, 12)
    platform.is_away = True
    for _ in range(2):
        with pytest.raises(PlatformAwayError):
            go(loop)
    waiting = [message.digest for message in office.mail.waiting()]
    assert len(waiting) == 2

    platform.is_away = False
    go(loop)

    assert [key for _kind, key in platform.taken] == waiting
    assert chain_of(office).state["epoch"] == 1


def test_a_refused_letter_is_shown_and_does_not_stop_the_others(office, loop, platform):
    platform.refuses = "/batches"
    import_generated(office, 12)

    go(loop)

    assert office.mail.refused() == [("/api/v1/agent/consents/batches", "batch_refused")]
    assert kinds(platform) == ["epochs"]
    assert office.database.rows("SELECT DISTINCT body FROM outgoing") == [("",)]


def test_a_malformed_list_of_withdrawals_changes_nothing(office, loop, platform):
    import_generated(office, 12)
    generation = office.store.generation
    platform.withdrawals = [{"id": "x", "pseudonym": "y", "consents": "z", "reason": "objection"}]

    with pytest.raises(PlatformAwayError):
        go(loop)

    assert office.store.generation == generation


def run(office, *arguments: str) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=Path)
    cli.add_to(parser.add_subparsers(required=True))
    args = parser.parse_args(["--folder", str(office.root), *arguments])
    return int(args.command(args))


def test_the_command_line_imports_withdraws_and_tells_the_state(office, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(cli, "open_site", lambda _folder: office.site)
    resources = list(generated(5).resources)
    file = write_lines(tmp_path / "five.ndjson", [*resources, b"{}"])

    assert run(office, "consents", "import", str(file), "--consortium", str(CONSORTIUM)) == 1

    shown = capsys.readouterr().out
    assert "5 of 6 consents taken, 1 refused." in shown
    assert "line 6: Consent.resourceType: is not Consent" in shown
    assert "1 messages wait for the platform" in shown
    anchor(office)
    phrase = tmp_path / "phrase"
    phrase.write_text(PHRASE)
    phrase.chmod(0o600)
    record = min(generated(5).permitting())
    options = ("--as", "stan", "--pass-phrase-file", str(phrase))

    assert run(office, "consents", "withdraw", record, *options) == 0
    assert run(office, "consents", "status") == 0

    shown = capsys.readouterr().out
    assert "Withdrawn: 1 consents" in shown
    assert "epoch 1, entry 1" in shown
    assert record not in set(select(office).records.values())
