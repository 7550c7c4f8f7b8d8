"""The site's folder of data sets: what is registered, and what lies there and could be."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.consents.data_sets import DataSets
from agent.consents.outgoing import OutgoingMail
from agent.data.checking import Checked, check_table
from agent.data.description import SUFFIXES, Description, read_description
from agent.journal import Journal
from agent.people import Person, Role
from consent.domain.purposes import require_conditions, require_exact_purpose
from consortium.kernel.bands import band
from consortium.kernel.errors import ConsiliumError, InvalidInputError, NotFoundError

FOLDER = "data"
KIND = "data_set"
_REGISTRATIONS = 10_000


@dataclass(frozen=True, slots=True)
class Registration:
    """What the platform was last told of a data set; `state` waiting, sent or refused."""

    name: str
    digest: str
    band: int
    time: str
    state: str


@dataclass(frozen=True, slots=True)
class FoundSet:
    """A description in the folder, read and counted; `trouble` says why it cannot be registered."""

    file: str
    name: str = ""
    columns: tuple[Mapping[str, Any], ...] = ()
    purposes: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    rows: int = 0
    registrations: tuple[Registration, ...] = ()
    trouble: str = ""

    @property
    def band(self) -> int:
        return band(self.rows)

    @property
    def latest(self) -> Registration | None:
        return self.registrations[0] if self.registrations else None


class DataSetShelf:
    """Looks at one member's data folder; a file is named by its listing, never by a path."""

    def __init__(self, root: Path, *, journal: Journal, mail: OutgoingMail, data_sets: DataSets) -> None:
        self._folder = root / FOLDER
        self._journal = journal
        self._mail = mail
        self._data_sets = data_sets
        self._checks: dict[Path, tuple[tuple[object, ...], Checked]] = {}

    def all(self) -> list[FoundSet]:
        """Return every description in the folder, the good ones counted."""
        registered = self.registrations()
        return [self._look(path, registered) for path in self._paths()]

    def find(self, file: str) -> FoundSet:
        """Return one description by the name of its file; `NotFoundError` if the folder has none of that name."""
        return self._look(self._path(file), self.registrations())

    def register(self, file: str, *, consortia: Sequence[uuid.UUID], person: Person) -> FoundSet:
        """Register a description for consortia, as on the command line, in the name of a steward.

        Raises
        ------
        PersonRefusedError
            If the person is no steward.
        InvalidInputError
            If the description or its table is wrong, or there is no consortium; nothing was signed.
        """
        person.require(Role.STEWARD)
        found = self.find(file)
        if found.trouble:
            raise InvalidInputError(found.trouble)
        if not consortia:
            raise InvalidInputError("This site belongs to no consortium yet; a data set is registered for one.")
        self._journal.record(KIND, "ordered", person=person.name, name=found.name)
        for consortium in consortia:
            self._data_sets.register(self._path(file), consortium=consortium)
        return self.find(file)

    def registrations(self) -> dict[str, tuple[Registration, ...]]:
        """Return what was registered by name, the latest first."""
        entries = self._journal.select("kind = ? AND outcome = 'registered'", KIND, limit=_REGISTRATIONS)
        found: dict[str, tuple[Registration, ...]] = {}
        for entry in entries:
            name = str(entry.detail["name"])
            state = self._mail.state_of(entry.digest)
            one = Registration(name, entry.digest, int(entry.detail["band"]), entry.time, state)
            found[name] = (*found.get(name, ()), one)
        return found

    def _paths(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        found = sorted(path for path in self._folder.iterdir() if path.suffix in SUFFIXES)
        return [path for path in found if path.is_file() and not path.is_symlink()]

    def _path(self, file: str) -> Path:
        found = next((path for path in self._paths() if path.name == file), None)
        if found is None:
            raise NotFoundError("The site's data folder has no description of that name. Choose one of the list.")
        return found

    def _look(self, path: Path, registered: Mapping[str, tuple[Registration, ...]]) -> FoundSet:
        try:
            described = read_description(path)
            count = self._count(described)
        except ConsiliumError as error:
            return FoundSet(path.name, trouble=error.message.replace(f"{path.parent}/", ""))
        return FoundSet(
            path.name,
            described.name,
            tuple(described.columns),
            described.purposes,
            described.conditions,
            count,
            registered.get(described.name, ()),
        )

    def _count(self, described: Description) -> int:
        """Hold the description and its table to what a registration demands, and count the rows."""
        for purpose in described.purposes:
            require_exact_purpose(purpose)
        require_conditions(described.conditions)
        if not described.rows.resolve().is_relative_to(self._folder.resolve()):
            raise InvalidInputError("The table lies outside the site's data folder. Put it beside its description.")
        checked = self._checked(described)
        checked.require_sound(described)
        return checked.rows

    def _checked(self, described: Description) -> Checked:
        """Read a table once while it stays as it is: a page is looked at more often than a table is written."""
        table = described.rows
        if not table.is_file():
            return check_table(described)
        status = table.stat()
        key = (described.digest, status.st_mtime_ns, status.st_size, status.st_ino)
        known = self._checks.get(table)
        if known is None or known[0] != key:
            known = self._checks[table] = (key, check_table(described))
        return known[1]
