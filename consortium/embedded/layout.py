"""Where the embedded services keep their files: one folder, everything below it, nothing elsewhere."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

# Linux keeps 108 bytes for a socket's path, one of them the closing zero.
MAX_SOCKET_PATH_BYTES = 107
LONGEST_SOCKET_NAME = ".s.PGSQL.5432.lock"


def project_root() -> Path:
    """The checkout: the folder that holds manage.py."""
    return Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Layout:
    """The folders of one instance below `root` (by default `.local` in the checkout)."""

    root: Path

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def chain(self) -> Path:
        return self.root / "chain"

    @property
    def platform(self) -> Path:
        """Files of the platform's own processes: uploads, bundles, run folders."""
        return self.root / "platform"

    @property
    def sites(self) -> Path:
        return self.root / "sites"

    @property
    def secrets(self) -> Path:
        return self.root / "secrets"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @property
    def lock(self) -> Path:
        return self.root / "instance.lock"

    @property
    def demo(self) -> Path:
        return self.root / "demo"

    def site(self, name: str) -> Path:
        return self.sites / name

    def sockets(self) -> Path:
        """A folder whose socket paths fit: `run` below the root, else a short temporary one named in `run.path`."""
        preferred = self.root / "run"
        if len(str(preferred / LONGEST_SOCKET_NAME).encode()) <= MAX_SOCKET_PATH_BYTES:
            preferred.mkdir(parents=True, exist_ok=True)
            return preferred
        note = self.root / "run.path"
        if note.exists() and Path(note.read_text()).is_dir():
            return Path(note.read_text())
        self.root.mkdir(parents=True, exist_ok=True)
        short = Path(tempfile.mkdtemp(prefix="consilium-"))
        note.write_text(str(short))
        return short


def default_layout() -> Layout:
    return Layout(project_root() / ".local")
