"""runs/RUN/: what this site committed in each round, and the masked bytes that it sent; the member's own, exact."""

import uuid
from dataclasses import dataclass
from pathlib import Path

from agent.folder import SiteFolder, write_private
from agent.training.payloads import Place
from consortium.kernel.manifests import CohortManifest, parse_manifest

FOLDER = "runs"


@dataclass(frozen=True, slots=True)
class RunsFolder:
    """The site's runs. `ROUND-ATTEMPT.json` is the cohort manifest that the chain accepted, or the newest one."""

    folder: SiteFolder

    @property
    def root(self) -> Path:
        return self.folder.root / FOLDER

    def manifest_path(self, place: Place) -> Path:
        return self._run(place.run) / f"{place.round}-{place.attempt}.json"

    def masked_path(self, place: Place) -> Path:
        return self._run(place.run) / f"{place.round}-{place.attempt}.masked"

    def keep_manifest(self, place: Place, manifest: CohortManifest) -> None:
        """Write a manifest durably; one that was there before stays beside it under its digest."""
        path, data = self.manifest_path(place), manifest.to_bytes()
        for folder in (self.root, path.parent):
            folder.mkdir(mode=0o700, exist_ok=True)
        if path.exists() and (before := path.read_bytes()) != data:
            digest = parse_manifest(before).digest().removeprefix("sha256:")
            write_private(path.with_name(f"{path.stem}.{digest[:16]}.json"), before)
        write_private(path, data)

    def keep_masked(self, place: Place, data: bytes) -> None:
        """Write the masked bytes durably, before they leave."""
        write_private(self.masked_path(place), data)

    def runs(self) -> list[uuid.UUID]:
        """Return the runs that this site committed to."""
        return sorted(uuid.UUID(path.name) for path in self.root.glob("*") if path.is_dir())

    def manifests(self, run: uuid.UUID) -> list[CohortManifest]:
        """Return the manifests of a run that count, in the order of rounds and attempts."""
        paths = [path for path in self._run(run).glob("*.json") if path.name.count(".") == 1]
        found = [parse_manifest(path.read_bytes()) for path in paths]
        return sorted(found, key=lambda manifest: (manifest.attempt.round, manifest.attempt.attempt))

    def _run(self, run: uuid.UUID) -> Path:
        return self.root / str(run)
