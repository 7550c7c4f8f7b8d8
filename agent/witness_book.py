"""What this site last signed of each log, in its journal: neither a restart nor another program forgets it."""

import json
from dataclasses import dataclass

from agent.journal import Journal
from consortium.kernel.canonical import canonical_json
from consortium.kernel.identifiers import from_hex, to_hex
from consortium.kernel.notes import NoteKey

_PREFIX, _REFUSED = "witness", "witness-refused"
_KEEP = "INSERT INTO scans VALUES (?, ?) ON CONFLICT DO UPDATE SET state = excluded.state"


@dataclass(frozen=True, slots=True)
class Seen:
    """A log as this site knows it: the key pinned at first sight, and the checkpoint signed last."""

    key: NoteKey
    size: int
    root: bytes


class WitnessBook:
    """The pages of one journal that tell of logs."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def seen(self, origin: str) -> Seen | None:
        """Return what was signed last of a log; None at first sight."""
        rows = self._journal.read("SELECT state FROM scans WHERE name = ?", f"{_PREFIX}:{origin}")
        if not rows:
            return None
        state = json.loads(rows[0][0])
        return Seen(NoteKey.parse(state["key"]), state["size"], from_hex(state["root"], size_bytes=32))

    def logs(self) -> list[Seen]:
        """Return all logs that this site follows."""
        rows = self._journal.read("SELECT name FROM scans WHERE name LIKE ? ORDER BY name", f"{_PREFIX}:%")
        found = [self.seen(name.partition(":")[2]) for (name,) in rows]
        return [seen for seen in found if seen is not None]

    def advance(self, seen: Seen) -> None:
        """Keep what is about to be signed; its first time pins the log's key."""
        origin = seen.key.name
        with self._journal.transaction() as connection:
            if self.seen(origin) is None:
                self._journal.record("witness", "pinned", origin=origin, key=str(seen.key))
            state = {"key": str(seen.key), "size": seen.size, "root": to_hex(seen.root)}
            connection.execute(_KEEP, (f"{_PREFIX}:{origin}", canonical_json(state).decode()))

    def refuse(self, origin: str, seen: Seen | None, note: str, digest: str) -> bool:
        """Keep a refused note whole; False if this very one was refused before, and is not written again."""
        name = f"{_REFUSED}:{origin}"
        with self._journal.transaction() as connection:
            if self._journal.read("SELECT state FROM scans WHERE name = ?", name) == [(digest,)]:
                return False
            connection.execute(_KEEP, (name, digest))
            size = seen.size if seen else 0
            self._journal.record("witness", "refused", digest=digest, origin=origin, signed_size=size, note=note)
        return True
