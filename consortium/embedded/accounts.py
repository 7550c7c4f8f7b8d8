"""Which unix user each party's processes run as.

Under root the platform, the database and every site get a user of their own, so
that the kernel keeps the platform out of the sites' folders. A plain user cannot
do that: then the folders' modes are all there is, and the demo says so.
"""

import os
import pwd
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# Numeric users need no entry in the password file; these lie above what distributions hand out.
PLATFORM_UID = 61_000
FIRST_SITE_UID = 61_001
RUNNER_UID_OFFSET = 500


@dataclass(frozen=True)
class Account:
    """A user and group to start a process as; None means the present user."""

    uid: int | None = None
    gid: int | None = None

    def own(self, path: Path, mode: int) -> Path:
        """Give `path` (made as a folder where it is missing) to this user with `mode`."""
        if not path.exists():
            path.mkdir(parents=True)
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)
        path.chmod(mode)
        return path


@dataclass(frozen=True)
class Accounts:
    """The users of one instance."""

    separated: bool
    reason: str

    def platform(self) -> Account:
        return Account(PLATFORM_UID, PLATFORM_UID) if self.separated else Account()

    def site(self, index: int) -> Account:
        uid = FIRST_SITE_UID + index
        return Account(uid, uid) if self.separated else Account()

    def database(self) -> Account:
        """PostgreSQL refuses root and asks the password file for its user's name."""
        if os.geteuid() != 0:
            return Account()
        entry = pwd.getpwnam("nobody")
        return Account(entry.pw_uid, entry.pw_gid)


def choose_accounts(root: Path) -> Accounts:
    """Separate users where we are root and they can reach interpreter and checkout."""
    if os.geteuid() != 0:
        return Accounts(False, "not started by root: sites are kept apart by folder modes of one user only")
    probe = subprocess.run(
        [sys.executable, "-c", "import consortium.kernel.errors"],
        cwd=root,
        user=PLATFORM_UID,
        group=PLATFORM_UID,
        extra_groups=[],
        env={"PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        check=False,
    )
    if probe.returncode == 0:
        return Accounts(True, "each site runs as a unix user of its own")
    return Accounts(False, f"other users cannot run {sys.executable} or read {root}: sites share the user root")
