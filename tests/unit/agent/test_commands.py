"""What a person at a terminal reads before the pass phrase is asked for."""

import getpass
import json
from pathlib import Path

import httpx
import pytest

from agent.cli import main
from agent.site import Site
from tests.unit.agent.platforms import PLAN, PlatformInMemory
from tests.unit.agent.worlds import CONSORTIUM, PHRASE, SUBJECT, admission_chain


@pytest.fixture
def asked(
    site: Site, platform: PlatformInMemory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> list[str]:
    """What had been said each time that the pass phrase was asked for; commands reach the platform through memory."""
    original, said = Site.client, []
    transport = httpx.ASGITransport(platform.application())
    monkeypatch.setattr(Site, "client", lambda one: original(one, transport=transport))
    monkeypatch.setattr("agent.chain_check.Trust.admit", lambda _trust, found: found)
    monkeypatch.setattr("agent.site.open_chain", lambda _configuration: admission_chain())

    def ask(_prompt: str) -> str:
        said.append(capsys.readouterr().out)
        return PHRASE

    monkeypatch.setattr(getpass, "getpass", ask)
    return said


def test_ballot_is_said_before_the_pass_phrase_is_asked_for(
    site: Site, platform: PlatformInMemory, asked: list[str]
) -> None:
    assert main(["--folder", str(site.folder.root), "ballots", "cast", PLAN, "no", "--as", "vera"]) == 0

    (said,) = asked
    assert said.startswith(f"Hospital 6.5 votes no on approving the training plan 0x{SUBJECT.hex()}.\n")
    assert "as signed: Hospital 6.5 answers no in the decision" in said
    assert platform.posts[0][1]["choice"] == "no"


def test_proposal_is_said_before_the_pass_phrase_is_asked_for(
    site: Site, platform: PlatformInMemory, asked: list[str], tmp_path: Path
) -> None:
    act = {"consortium": str(CONSORTIUM), "kind": "SetVotingPeriod", "arguments": {"newVotingPeriod": 7200}}
    file = tmp_path / "act.json"
    file.write_text(json.dumps(act | {"description": "Longer"}))

    assert main(["--folder", str(site.folder.root), "propose", str(file), "--as", "vera"]) == 0

    (said,) = asked
    assert said.startswith("Hospital 6.5 proposes to set the voting period (ballots are taken for: 2 h), described as")
    entry = site.journal.entries(limit=1, kinds=("proposal",))[0]
    assert said == entry.detail["sentence"] + "\n"


def test_wrong_pass_phrase_in_a_file_asks_nothing_of_anybody(
    site: Site, platform: PlatformInMemory, asked: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("not the phrase")
    wrong.chmod(0o600)
    command = ["ballots", "cast", PLAN, "no", "--as", "vera", "--pass-phrase-file", str(wrong)]

    assert main(["--folder", str(site.folder.root), *command]) == 1

    assert "wrong" in capsys.readouterr().err
    assert (asked, platform.sessions, platform.posts) == ([], 0, [])
