"""The plans that this site has seen, by digest, in its own folder: what a run was for stays readable for ever."""

import re
from dataclasses import dataclass
from pathlib import Path

from agent.folder import write_private
from agent.journal import Journal
from consortium.kernel.digests import sha256_digest
from training.federated.errors import PlanInvalidError
from training.federated.plan_document import PlanDocument, parse_plan

FOLDER = "plans"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z")


@dataclass(frozen=True, slots=True)
class Asked:
    """For which consortium and under which decision work on a plan was asked for; both may be unknown."""

    consortium: str = ""
    decision: str = ""


class PlanShelf:
    """plans/: one file a plan, named by its digest; the journal says when one came in."""

    def __init__(self, root: Path, journal: Journal) -> None:
        self._folder = root / FOLDER
        self._journal = journal

    def keep(self, plan: PlanDocument, *, decision: str = "") -> None:
        """Keep a plan that was read; the same one again changes nothing."""
        digest = plan.digest()
        path = self._path(digest)
        if not path.exists():
            self._folder.mkdir(mode=0o700, exist_ok=True)
            write_private(path, plan.to_bytes())
        asked = self.asked(digest)
        if asked is None or (decision and not asked.decision):
            detail = {"consortium": str(plan.consortium), "decision": decision}
            self._journal.record("plan", "seen", digest=digest, **detail)

    def find(self, digest: str) -> PlanDocument | None:
        """Return a plan; None if this site has not seen it, or the file is not the plan any more."""
        if not _DIGEST.match(digest) or not self._path(digest).exists():
            return None
        data = self._path(digest).read_bytes()
        try:
            return parse_plan(data) if sha256_digest(data) == digest else None
        except PlanInvalidError:
            return None

    def digests(self) -> list[str]:
        """Return the digests of all plans, those seen last first."""
        paths = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        return [f"sha256:{path.stem}" for path in paths]

    def asked(self, digest: str) -> Asked | None:
        """Return what is known of why the plan came in, the entry with a decision first."""
        entries = self._journal.select("kind = 'plan' AND outcome = 'seen' AND digest = ?", digest, limit=10)
        known = [Asked(str(entry.detail["consortium"]), str(entry.detail["decision"])) for entry in entries]
        return next((one for one in known if one.decision), known[0] if known else None)

    def _path(self, digest: str) -> Path:
        return self._folder / f"{digest.removeprefix('sha256:')}.json"
