"""Imports from the member page: a file that was handed in, read in the background, its report kept beside the store.

The importing itself is `Importer.import_file`, as on the command line: all good lines in one transaction, or none.
It works on a connection of its own, so that nobody who reads has to wait for it. What a page shows of an import is
written down when it ends; a process that ends before leaves a file, and the next one says so.
"""

import json
import logging
import os
import re
import threading
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.clock import Clock, now, timestamp
from agent.consents.importing import ImportReport
from agent.errors import FolderError
from agent.folder import write_private
from agent.journal import Journal
from agent.people import Person, Role
from consortium.kernel.errors import ConflictError, ConsiliumError

if TYPE_CHECKING:
    from agent.consents.office import ConsentOffice

logger = logging.getLogger(__name__)
FOLDER = "imports"
KIND = "import"
MAX_UPLOAD_BYTES = 256 * 1024 * 1024
# A file of which every line is wrong must not make a report as long as itself.
MAX_REFUSED_KEPT = 10_000
REPORTS_KEPT = 100
_UPLOAD = ".upload"
TABLE = ".csv"
_NAME = re.compile(r"[^\w .()+-]")


@dataclass(frozen=True, slots=True)
class Refused:
    """One thing that is wrong with one line; it repeats nothing of a person."""

    line: int
    element: str
    reason: str


@dataclass(frozen=True, slots=True)
class ImportRecord:
    """One import: `state` is running, done, failed or interrupted; `trouble` says why it failed."""

    id: uuid.UUID
    file: str
    person: str
    began: str
    state: str = "running"
    ended: str = ""
    lines: int = 0
    accepted: int = 0
    refused_lines: int = 0
    batches: int = 0
    refused: tuple[Refused, ...] = ()
    trouble: str = ""


@dataclass
class Upload:
    """A file on its way in: private, gone unless it is given to `ImportDesk.begin`."""

    id: uuid.UUID
    path: Path
    size: int = 0
    name: str = ""
    _file: int = field(default=-1, repr=False)

    def write(self, data: bytes) -> None:
        """Append; blocks for as long as the disk does."""
        view = memoryview(data)
        while view:
            view = view[os.write(self._file, view) :]
        self.size += len(data)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def discard(self) -> None:
        """Close and delete."""
        self.close()
        self.path.unlink(missing_ok=True)


class ImportDesk:
    """One member's imports; one runs at a time."""

    def __init__(
        self, folder: Path, *, journal: Journal, office: "Callable[[], ConsentOffice]", clock: Clock = now
    ) -> None:
        self._folder = folder / FOLDER
        self._journal = journal
        self._office = office
        self._clock = clock
        self._lock = threading.Lock()
        self._running: ImportRecord | None = None
        self._thread: threading.Thread | None = None

    def open_upload(self, name: str) -> Upload:
        """Make an empty private file for what a browser sends under this name."""
        self._folder.mkdir(mode=0o700, exist_ok=True)
        identity = uuid.uuid4()
        # How a file is read follows from its name's end; nothing else of the name is taken over.
        kind = TABLE if name.lower().endswith(TABLE) else ""
        path = self._folder / f"{identity}{_UPLOAD}{kind}"
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        return Upload(identity, path, 0, _shown(name), handle)

    def begin(self, upload: Upload, *, consortia: Sequence[uuid.UUID], person: Person) -> uuid.UUID:
        """Import a file in the background and return the import's number.

        Raises
        ------
        PersonRefusedError
            If the person is no steward; the file is gone.
        ConflictError
            If another import of this page is running; likewise.
        """
        upload.close()
        try:
            person.require(Role.STEWARD)
            record = ImportRecord(upload.id, upload.name, person.name, timestamp(self._clock()))
            with self._lock:
                if self._running is not None:
                    raise ConflictError("Another import is running. Wait until it is done, then send the file again.")
                self._running = record
        except ConsiliumError:
            upload.discard()
            raise
        self._journal.record(KIND, "begun", person=person.name, **{KIND: str(record.id)})
        self._thread = threading.Thread(target=self._run, args=(upload, record, tuple(consortia)), name="import")
        self._thread.start()
        return record.id

    def wait(self) -> None:
        """Return when no import runs any more."""
        if self._thread is not None:
            self._thread.join()

    @property
    def running(self) -> ImportRecord | None:
        """The import that runs now, with the lines read so far."""
        return self._running

    def find(self, identity: uuid.UUID) -> ImportRecord | None:
        """Return an import, running or over."""
        running = self._running
        if running is not None and running.id == identity:
            return running
        path = self._folder / f"{identity}.json"
        return _read(path) if path.exists() else None

    def latest(self, limit: int = 20) -> list[ImportRecord]:
        """Return the imports, newest first, the running one before all."""
        paths = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        running = self._running
        return ([running] if running is not None else []) + [_read(path) for path in paths[:limit]]

    def sweep(self) -> int:
        """Delete, at the start, what a process that ended left behind; return how many files."""
        left = list(self._folder.glob(f"*{_UPLOAD}*"))
        for path in left:
            path.unlink(missing_ok=True)
            self._journal.record(KIND, "interrupted", **{KIND: path.stem})
        return len(left)

    def _run(self, upload: Upload, record: ImportRecord, consortia: Sequence[uuid.UUID]) -> None:
        ended = replace(record, state="failed", trouble="The program failed; its log says why. Nothing was taken.")
        try:
            ended = self._import(upload, record, consortia)
        except ConsiliumError as error:
            ended = replace(ended, trouble=error.message)
        except Exception:
            logger.exception("the import %s failed", record.id)
        finally:
            upload.discard()
            self._keep(replace(ended, ended=timestamp(self._clock())))
            with self._lock:
                self._running = None

    def _import(self, upload: Upload, record: ImportRecord, consortia: Sequence[uuid.UUID]) -> ImportRecord:
        office = self._office()
        try:
            report = office.importer.import_file(upload.path, consortia=consortia, progress=self._progress)
        finally:
            office.database.close()
        return _finished(record, report)

    def _progress(self, lines: int) -> None:
        with self._lock:
            if self._running is not None:
                self._running = replace(self._running, lines=lines)

    def _keep(self, record: ImportRecord) -> None:
        numbers: dict[str, Any] = {"lines": record.lines, "accepted": record.accepted, "refused": record.refused_lines}
        self._journal.record(KIND, record.state, person=record.person, **{KIND: str(record.id)}, **numbers)
        write_private(self._folder / f"{record.id}.json", json.dumps(asdict(record), default=str).encode())
        old = sorted(self._folder.glob("*.json"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for path in old[REPORTS_KEPT:]:
            path.unlink(missing_ok=True)


def advice(refused: Refused) -> str:
    """Return what to do about a refused line."""
    for part, text in _ADVICE:
        if part in refused.reason:
            return text
    return f"Correct {refused.element} at its source and import the line again; the lines taken are not taken twice."


_ADVICE = (
    ("already recorded", "Nothing, if it is the same consent. A changed consent needs an id of its own."),
    ("is the id of line", "Leave one of the two lines out, or give the second an id of its own."),
    ("is not one JSON value", "Write one resource a line, in UTF-8, without line breaks inside."),
    ("is not a JSON object", "Write one resource a line, in braces."),
    ("names an element twice", "Name each element once in an object."),
    ("is not Consent", "Leave only resources of the type Consent in the file."),
    ("is longer than", "Take attachments out of the resource; a consent does not need them here."),
    ("is nested deeper", "Write the provisions flatter; nobody could read them any more."),
)


def _finished(record: ImportRecord, report: ImportReport) -> ImportRecord:
    refused = [
        Refused(error.line, problem.path, problem.reason) for error in report.refused for problem in error.problems
    ]
    return replace(
        record,
        state="done",
        lines=report.lines,
        accepted=report.accepted,
        refused_lines=len(report.refused),
        batches=report.batches,
        refused=tuple(refused[:MAX_REFUSED_KEPT]),
    )


def _read(path: Path) -> ImportRecord:
    try:
        value = json.loads(path.read_bytes())
        refused = tuple(Refused(**one) for one in value.pop("refused"))
        return ImportRecord(**{**value, "id": uuid.UUID(value["id"]), "refused": refused})
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FolderError(f"{path} is damaged. Remove it: the report of one import is lost, no consent is.") from error


def _shown(name: str) -> str:
    """Return a browser's name for a file as text that may stand on a page; it names nothing on this machine."""
    return _NAME.sub("_", name.replace("\\", "/").rsplit("/", 1)[-1])[:120] or "file"
