"""`consilium-site` as processes: made, run, asked, ended in order and without order."""

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import uvicorn

from agent.configuration import Configuration
from agent.folder import SiteFolder, write_private
from agent.founding import found_site
from agent.journal import Journal
from agent.people import People, Role
from agent.site import open_site
from tests.unit.agent.platforms import PlatformInMemory, piece
from tests.unit.agent.worlds import CHAIN_ID, HOSPITAL, PHRASE

pytestmark = pytest.mark.services
ROOT = Path(__file__).parents[3]
SECONDS = 30.0


@pytest.fixture
def platform() -> Iterator[tuple[PlatformInMemory, str]]:
    """A platform on a loopback port."""
    held = PlatformInMemory()
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(held.application(), lifespan="off", log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    yield held, f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(SECONDS)
    listening.close()


def _site(folder: Path, *arguments: str) -> list[str]:
    return [sys.executable, "-m", "agent.cli", "--folder", str(folder), *arguments]


def _ask(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(_site(folder, *arguments), capture_output=True, text=True, check=False, cwd=ROOT)


@pytest.fixture
def folder(tmp_path: Path, platform: tuple[PlatformInMemory, str]) -> Path:
    """A member's folder with one person who is voter and steward."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    made = SiteFolder(tmp_path / "site")
    chain_urls = ("http://127.0.0.1:9",)
    found_site(made.root, Configuration(HOSPITAL, "Hospital 6.5", platform[1], CHAIN_ID, chain_urls, port=port))
    People(made).add(name="vera", display_name="Vera", roles=frozenset(Role), pass_phrase=PHRASE)
    return made.root


def test_site_is_made_from_the_command_line(tmp_path: Path) -> None:
    made, phrase = tmp_path / "site", tmp_path / "phrase"
    write_private(phrase, PHRASE.encode())
    init = ["init", "--organization", str(HOSPITAL), "--name", "Hospital 6.5", "--platform", "https://p.example"]

    done = _ask(made, *init, "--chain-url", "http://127.0.0.1:9", "--chain-id", str(CHAIN_ID))
    roles = ["--role", "voter", "--role", "steward"]
    added = _ask(made, "people", "add", "vera", *roles, "--pass-phrase-file", str(phrase))

    assert re.search(r"vote key 0x[0-9a-fA-F]{40}\nsite key 0x[0-9a-fA-F]{40}\n", done.stdout)
    assert added.stdout == "Added vera as steward, voter.\n"
    assert open_site(made).people.authenticate("vera", PHRASE).roles == frozenset(Role)


def _port(folder: Path) -> int:
    return int(re.findall(r"port = (\d+)", (folder / "site.toml").read_text())[0])


def _start(folder: Path) -> subprocess.Popen[str]:
    """Start the agent and wait until its member page answers."""
    process = subprocess.Popen(
        _site(folder, "run"), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    )
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            if httpx.get(f"http://127.0.0.1:{_port(folder)}/healthz", trust_env=False).text == "ok":
                return process
        except httpx.TransportError:
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.05)


def _wait_for(found: list[object], count: int = 1) -> None:
    deadline = time.monotonic() + SECONDS
    while len(found) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_agent_works_serves_both_doors_and_ends_in_order(folder: Path, platform: tuple[PlatformInMemory, str]) -> None:
    process = _start(folder)
    try:
        platform[0].work.append(piece(payload={"nonce": "first"}))
        _wait_for(platform[0].results)

        with httpx.Client(transport=httpx.HTTPTransport(uds=str(folder / "member.sock"))) as client:
            assert client.get("http://localhost/login").status_code == 200
        assert (folder / "member.sock").lstat().st_mode & 0o777 == 0o600
        second = _ask(folder, "run")
        assert second.returncode == 1
        assert "is in use" in second.stderr
    finally:
        process.send_signal(signal.SIGTERM)
        output = process.communicate(timeout=SECONDS)[0]

    assert process.returncode == 0
    assert "Traceback" not in output
    assert not (folder / "member.sock").exists()
    journal = Journal(folder / "journal.sqlite")
    assert [(entry.kind, entry.outcome) for entry in journal.entries(limit=1)] == [("site", "ended")]
    journal.close()


def test_killed_agent_leaves_a_whole_journal_and_starts_again(
    folder: Path, platform: tuple[PlatformInMemory, str]
) -> None:
    process = _start(folder)
    platform[0].work += [piece(id=f"work-{number}") for number in range(20)]
    _wait_for(platform[0].results, 3)
    process.kill()
    process.communicate()

    verified = _ask(folder, "log", "--verify")
    assert verified.returncode == 0
    assert re.match(r"\d+ entries, none changed", verified.stdout)

    before = len(platform[0].results)
    platform[0].work.append(piece(id="after"))
    process = _start(folder)
    _wait_for(platform[0].results, before + 1)
    process.terminate()
    process.communicate(timeout=SECONDS)
    assert process.returncode == 0


def test_agent_outlives_a_platform_that_is_away(folder: Path, platform: tuple[PlatformInMemory, str]) -> None:
    platform[0].status = 503
    process = _start(folder)

    platform[0].work.append(piece())
    platform[0].status = 0
    _wait_for(platform[0].results)

    process.terminate()
    process.communicate(timeout=SECONDS)
    assert process.returncode == 0


def test_commands_refuse_in_plain_words(folder: Path, tmp_path: Path) -> None:
    keys = _ask(folder, "keys", "show")
    assert re.fullmatch(r"vote key 0x[0-9a-fA-F]{40}\nsite key 0x[0-9a-fA-F]{40}\n", keys.stdout)

    wrong = tmp_path / "wrong"
    write_private(wrong, b"not the phrase")
    proposal = "11111111-1111-4111-8111-111111111111"
    cast = _ask(folder, "ballots", "cast", proposal, "yes", "--as", "vera", "--pass-phrase-file", str(wrong))
    assert (cast.returncode, cast.stderr) == (1, "consilium-site: The name or the pass phrase is wrong. Try again.\n")

    status = _ask(folder, "status")
    assert status.returncode == 1
    assert "[not well]" in status.stdout
    assert "[ok] The platform answers; this member's consortia there: 1" in status.stdout

    (folder / "keys").chmod(0o755)
    open_folder = _ask(folder, "status")
    assert open_folder.returncode == 1
    assert f"Run: chmod 700 {folder / 'keys'}" in open_folder.stderr
    assert "Traceback" not in cast.stderr + status.stderr + open_folder.stderr


@pytest.mark.parametrize(
    "command",
    [["init"], ["run"], ["status"], ["doctor"], ["people", "add"], ["keys", "show"], ["log"], ["propose"]]
    + [["ballots", name] for name in ("list", "show", "cast")],
)
def test_every_command_explains_itself(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    from agent.cli import parser

    with pytest.raises(SystemExit) as ended:
        parser().parse_args([*command, "--help"])

    assert ended.value.code == 0
    assert "usage: consilium-site" in capsys.readouterr().out
