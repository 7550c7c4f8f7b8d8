"""A hospital's site: a folder and a unix user of its own, reached only through its command line."""

import json
import os
import secrets
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from consortium.demo.hospitals import Hospital
from consortium.demo.story import ClaimFailedError
from consortium.embedded.accounts import Account
from consortium.embedded.credentials import write_secret
from consortium.embedded.environment import base_environment
from consortium.embedded.instance import free_port
from consortium.embedded.layout import project_root
from consortium.embedded.supervisor import Instance
from consortium.embedded.tied import TiedProcess

VOTER = "voter"
# What the agent says of a ballot that has not reached it, and of one that opens with one of the next blocks.
NOT_YET = ("No such ballot waits", "Ballots are taken from")


@dataclass
class Site:
    """One hospital's agent; `voter_phrase` is what its voter types at the member page."""

    hospital: Hospital
    instance: Instance
    index: int
    organization_id: str = ""
    admin_phrase: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    voter_phrase: str = field(default_factory=lambda: secrets.token_urlsafe(12))
    port: int = field(default_factory=free_port)
    process: TiedProcess | None = None

    @property
    def account(self) -> Account:
        return self.instance.accounts.site(self.index)

    @property
    def folder(self) -> Path:
        return self.instance.layout.site(self.hospital.slug)

    @property
    def member_page(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """Nothing of the platform's: the agent gets a path and its own folder."""
        return base_environment(self.instance.layout) | {
            "HOME": str(self.folder),
            "CONSILIUM_SITE_FOLDER": str(self.folder),
        }

    def found(self, *, platform: str, chain_url: str, chain_id: int) -> dict[str, str]:
        """Make folder, keys and the voter's account; return the addresses for the application."""
        self.instance.layout.sites.mkdir(mode=0o711, exist_ok=True)
        self.instance.layout.sites.chmod(0o711)
        self.account.own(self.folder, 0o700)
        self.run(
            *("init", "--organization", self.organization_id, "--name", self.hospital.name, "--platform", platform),
            *("--chain-url", chain_url, "--chain-id", str(chain_id), "--port", str(self.port)),
        )
        write_secret(self.folder / "voter.phrase", self.voter_phrase, self.account)
        self.run("people", "add", VOTER, "--role", "voter", "--role", "steward", "--pass-phrase-file", "voter.phrase")
        return self.keys()

    def keys(self) -> dict[str, str]:
        shown: dict[str, str] = json.loads(self.run("keys", "show", "--json"))
        return shown

    def start(self) -> TiedProcess:
        """Start the agent; it pulls its work and serves its own people on the loopback."""
        self.process = self.instance.start_program(
            f"site-{self.hospital.slug}",
            ["-m", "agent.cli", "--folder", str(self.folder), "run"],
            account=self.account,
            environment=self.environment,
            folder=project_root(),
        )
        return self.process

    def run(self, *arguments: str) -> str:
        """Run one command of `consilium-site` as the site's own user and return what it prints."""
        done = self._run(arguments)
        if done.returncode != 0:
            words = " ".join(arguments)
            raise ClaimFailedError(f"consilium-site {words} at {self.hospital.name}: {done.stderr[-800:]}")
        return done.stdout

    def run_refused(self, *arguments: str) -> str:
        """Run a command that has to be refused and return what it says."""
        done = self._run(arguments)
        if done.returncode == 0:
            raise ClaimFailedError(f"consilium-site {' '.join(arguments)} was not refused: {done.stdout[-400:]}")
        return done.stdout + done.stderr

    def _run(self, arguments: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "agent.cli", "--folder", str(self.folder), *self._paths(arguments)],
            cwd=project_root(),
            env=self.environment,
            user=self.account.uid,
            group=self.account.gid,
            extra_groups=None if self.account.uid is None else [],
            umask=0o077,
            capture_output=True,
            text=True,
            check=False,
        )

    def put_file(self, name: str, content: Any) -> str:
        """Leave a file in the site's folder, as its own people would."""
        text = content if isinstance(content, str) else json.dumps(content)
        write_secret(self.folder / name, text, self.account)
        return name

    def _paths(self, arguments: tuple[str, ...]) -> list[str]:
        """Names of files in the site's folder, as paths."""
        return [str(self.folder / word) if (self.folder / word).is_file() else word for word in arguments]

    def vote(self, proposal: str, choice: str) -> None:
        """Cast the ballot as the hospital's voter, at the hospital, once the platform offers it there."""
        words = ("ballots", "cast", "--as", VOTER, "--pass-phrase-file", "voter.phrase", proposal, choice)

        def cast() -> bool:
            done = self._run(words)
            if done.returncode != 0 and not any(reason in done.stderr for reason in NOT_YET):
                raise ClaimFailedError(f"The ballot at {self.hospital.name}: {done.stderr[-800:]}")
            return done.returncode == 0

        wait_for(20, cast, f"the ballot at {self.hospital.name}")

    def propose(self, content: dict[str, Any]) -> None:
        name = self.put_file(f"proposal-{secrets.token_hex(4)}.json", content)
        self.run("propose", "--as", VOTER, "--pass-phrase-file", "voter.phrase", name)


def outsiders_see_nothing(site: Site, platform: Account) -> bool:
    """Whether the platform's own user is refused at the site's folder; True only when it really was tried."""
    probe = "import os, sys; os.listdir(sys.argv[1])"
    tried = subprocess.run(
        [sys.executable, "-c", probe, str(site.folder)],
        user=platform.uid,
        group=platform.gid,
        extra_groups=None if platform.uid is None else [],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )
    return tried.returncode != 0 and "PermissionError" in tried.stderr


def wait_for(seconds: float, ready: Any, what: str) -> Any:
    """Ask until there is an answer that is true, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := ready()):
        if time.monotonic() > deadline:
            raise ClaimFailedError(f"{what} did not come about within {seconds:.0f} s")
        time.sleep(0.1)
    return found
