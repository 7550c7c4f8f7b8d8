"""The site's folder: everything the member keeps, readable by the site's own user alone."""

import contextlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from agent.errors import FolderError

SALTS_VARIABLE = "CONSILIUM_SITE_SALTS_FOLDER"
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
MAX_FILE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class SiteFolder:
    """Where each thing lies. Folders are 0700, files 0600."""

    root: Path

    @property
    def configuration(self) -> Path:
        return self.root / "site.toml"

    @property
    def keys(self) -> Path:
        return self.root / "keys"

    @property
    def passphrase(self) -> Path:
        return self.keys / "passphrase"

    @property
    def pseudonym_key(self) -> Path:
        return self.root / "pseudonym.key"

    @property
    def people(self) -> Path:
        return self.root / "people.json"

    @property
    def journal(self) -> Path:
        return self.root / "journal.sqlite"

    @property
    def chain_index(self) -> Path:
        return self.root / "chain.sqlite"

    @property
    def socket(self) -> Path:
        return self.root / "member.sock"

    @property
    def salts(self) -> Path:
        """The folder of salts and their copies: the site's own, or one on storage that backups leave out."""
        named = os.environ.get(SALTS_VARIABLE)
        return Path(named) if named else self.root

    def keystore(self, purpose: str) -> Path:
        return self.keys / f"{purpose}.json"

    def next_key(self, purpose: str) -> Path:
        """The key that is to follow the present one, until the registry lists it everywhere."""
        return self.keys / f"{purpose}.next.json"

    def retired_key(self, purpose: str, address: str) -> Path:
        return self.keys / f"{purpose}.retired-{address.lower()}.json"

    def create(self) -> None:
        """Make the empty folder and its keys folder; `FolderError` if a site lies there already."""
        if self.configuration.exists():
            raise FolderError(f"{self.root} holds a site already. Choose another folder.")
        for folder in (self.root, self.keys):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.chmod(0o700)

    def require_private(self) -> None:
        """Refuse a folder that others could read, change, or have made.

        Raises
        ------
        FolderError
            Naming the first path that is wrong and the command that mends it.
        """
        if not self.configuration.exists():
            raise FolderError(f"{self.root} holds no site. Make one with: consilium-site --folder {self.root} init")
        _require_tree_private(self.root)
        if self.salts != self.root:
            self._require_salts_in_one_place()
            self.salts.mkdir(mode=0o700, exist_ok=True)
            _require_tree_private(self.salts)

    def _require_salts_in_one_place(self) -> None:
        """Refuse to begin anew where the salts of earlier consents lie: without them no commitment can be opened."""
        if (left := self.root / "salts.sqlite").exists():
            raise FolderError(
                f"{left} is there, but {SALTS_VARIABLE} names another folder. "
                f"Stop the agent and move salts.sqlite* and salts-copies to {self.salts}."
            )


def _require_tree_private(root: Path) -> None:
    _require_private(root)
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            # The running agent's side files come and go while a command looks.
            with contextlib.suppress(FileNotFoundError):
                _require_private(Path(folder) / name)


def write_private(path: Path, content: bytes) -> None:
    """Put the bytes at the path as one step, 0600, durably: a kill leaves the old file or the new one."""
    unfinished = path.with_name(f".{path.name}.new")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def read_private(path: Path) -> bytes:
    """Return a private file's bytes; `FolderError` if it is missing, too large, a link, or open to others."""
    try:
        _require_private(path)
        if path.stat().st_size > MAX_FILE_BYTES:
            raise FolderError(f"{path} is larger than {MAX_FILE_BYTES} bytes; that is not a file of this program.")
        return path.read_bytes()
    except OSError as error:
        raise FolderError(f"{path} cannot be read. Restore it, or make the site anew.") from error


def _require_private(path: Path) -> None:
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        raise FolderError(f"{path} is a link. Put the file itself there.")
    if status.st_uid != os.geteuid():
        raise FolderError(f"{path} belongs to another user. Run: chown {os.geteuid()} {path}")
    if status.st_mode & _OTHERS:
        mode = "700" if stat.S_ISDIR(status.st_mode) else "600"
        raise FolderError(f"Other users of this machine can reach {path}. Run: chmod {mode} {path}")
