"""The member's records: one table a data set in the site's folder, and the one door through which rows leave it.

A data set lies in `data/NAME.json` or `.toml` (the description that was registered) with its table beside it: CSV or
Parquet with the columns of its schema and one more, the id under which consents know the subject.
"""

import hashlib
import secrets
import threading
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from agent.data.checking import subject_id
from agent.data.description import SUFFIXES, Description, read_description
from agent.data.serving import serves
from agent.data.tables import Cell, open_table
from agent.data.values import Reader, between, bit, category, is_missing, number
from agent.folder import SiteFolder
from agent.journal import Journal
from agent.training.errors import refused
from consortium.kernel.errors import InvalidInputError
from training.federated.algorithms.features import BinaryFeature, CategoricalFeature, Feature, MeasuredFeature, Row
from training.federated.algorithms.targets import BinaryTarget, CategoryTarget, Target
from training.federated.errors import RowFormatError
from training.federated.plan_document import PlanDocument

FOLDER = "data"
_REGISTRATIONS = 10_000


@dataclass(frozen=True, slots=True)
class Ticket:
    """What rows are read for; `function` is the digest of the code that will see them."""

    run: str
    round: int
    attempt: int
    function: str


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """Rows by record, in the file's order; only the plan's columns.

    `without_target` counts the table's rows that lack what the plan learns: they are left out, and nobody guesses.
    """

    columns: tuple[str, ...]
    entries: tuple[tuple[str, Row], ...]
    without_target: int = 0

    @property
    def records(self) -> frozenset[str]:
        return frozenset(record for record, _row in self.entries)

    def rows_of(self, records: Collection[str]) -> list[Row]:
        """Return the rows of these records alone, in the file's order."""
        wanted = frozenset(records)
        return [row for record, row in self.entries if record in wanted]


@dataclass(frozen=True, slots=True, repr=False)
class _Issued:
    ticket: Ticket
    table: Table
    records: frozenset[str]


class RecordDoor:
    """Opens for a token, once; every opening stands in the journal with its run, round and attempt."""

    def __init__(self, folder: SiteFolder, journal: Journal) -> None:
        self._folder = folder.root / FOLDER
        self._journal = journal
        self._tables: dict[tuple[str, str, Path, int, int], Table] = {}
        self._issued: dict[bytes, _Issued] = {}
        self._lock = threading.Lock()

    def table_for(self, plan: PlanDocument) -> Table:
        """Return the table that a plan trains on: a registered data set with its columns and purpose.

        Raises
        ------
        JobRefusedError
            `local_rule` if there is none.
        RowFormatError
            If the table does not keep to its schema; the message names the column, never a value.
        """
        description = self._description_for(plan)
        status = description.rows.stat()
        key = (plan.digest(), description.digest, description.rows, status.st_mtime_ns, status.st_size)
        with self._lock:
            if key not in self._tables:
                self._tables = {key: _load(description, plan)}
            return self._tables[key]

    def issue(self, ticket: Ticket, table: Table, records: Collection[str]) -> str:
        """Return a token for the rows of these records; a new one for the ticket makes the old one worthless."""
        token = secrets.token_hex(32)
        with self._lock:
            self._issued = {known: one for known, one in self._issued.items() if one.ticket != ticket}
            self._issued[_name(token)] = _Issued(ticket, table, frozenset(records))
        return token

    def redeem(self, token: str, ticket: Ticket) -> list[Row]:
        """Return the rows that a token stands for, once, and for this ticket alone.

        Raises
        ------
        JobRefusedError
            `token_refused` if the token is unknown, used, or for something else; nothing was read.
        """
        with self._lock:
            issued = self._issued.get(_name(token))
            if issued is None or issued.ticket != ticket:
                self._journal.record("records", "refused", run=ticket.run, round=ticket.round, reason="token_refused")
                raise refused("token_refused", "The token is used up, or is for another attempt or function.")
            del self._issued[_name(token)]
        rows = issued.table.rows_of(issued.records)
        self._journal.record(
            "records",
            "read",
            run=ticket.run,
            round=ticket.round,
            attempt=ticket.attempt,
            function=ticket.function,
            rows=len(rows),
            without_target=issued.table.without_target,
        )
        return rows

    def _description_for(self, plan: PlanDocument) -> Description:
        # Entries of earlier releases name no consortium.
        here = str(plan.consortium)
        registered = {
            entry.detail.get("name")
            for entry in self._journal.entries(limit=_REGISTRATIONS, kinds=("data_set",))
            if entry.outcome == "registered" and entry.detail.get("consortium", here) == here
        }
        broken = []
        for path in sorted(path for path in self._folder.glob("*") if path.suffix in SUFFIXES):
            try:
                description = read_description(path)
            except InvalidInputError:
                broken.append(path.name)
                continue
            if description.name in registered and serves(description, plan):
                return description
        unread = f" These files are no data-set files: {', '.join(broken)}." if broken else ""
        raise refused(
            "local_rule", f"No data set that this site registered there has the plan's columns and purpose.{unread}"
        )


def _load(description: Description, plan: PlanDocument) -> Table:
    reads, target = _reads(description, plan), plan.training_plan.target.name
    entries: list[tuple[str, Row]] = []
    without_target = 0
    with open_table(description.rows, [description.subject, *reads]) as table:
        places = [(name, read, table.header.index(name)) for name, read in reads.items()]
        subject = table.header.index(description.subject)
        for place, cells in table.rows:
            if not (record := subject_id(cells[subject])):
                raise RowFormatError(f"The table names no subject ({description.subject}) in {place}.")
            row = {name: read.value(cells[i], place) for name, read, i in places}
            if row[target] is None:
                without_target += 1
            else:
                entries.append((record, row))
    return Table(tuple(reads), tuple(entries), without_target)


@dataclass(frozen=True, slots=True)
class _Read:
    """How a plan reads one column of this site's table."""

    name: str
    reader: Reader
    missing_values: tuple[str, ...]
    may_be_missing: bool

    def value(self, cell: Cell, place: str) -> object:
        """Return the value, None if it is missing and may be; the cell itself stays out of every message."""
        try:
            if not is_missing(cell, self.missing_values):
                return self.reader(cell)
            if not self.may_be_missing:
                raise ValueError("is missing, which the plan refuses,")
        except ValueError as error:
            raise RowFormatError(f"Column {self.name} {error} in {place}; mend the table.") from error
        return None


def _reads(description: Description, plan: PlanDocument) -> dict[str, _Read]:
    features, target = plan.training_plan.features, plan.training_plan.target
    tokens = description.missing_values
    reads = {one.name: _Read(one.name, _feature_reader(one), tokens, one.missing.allows) for one in features}
    return reads | {target.name: _Read(target.name, _target_reader(target, description), tokens, may_be_missing=True)}


def _feature_reader(feature: Feature) -> Reader:
    if isinstance(feature, CategoricalFeature):
        return category(feature.categories)
    if isinstance(feature, MeasuredFeature) and not feature.clips:
        return between(feature.minimum, feature.maximum)
    return bit if isinstance(feature, BinaryFeature) else number


def _target_reader(target: Target, description: Description) -> Reader:
    if not isinstance(target, CategoryTarget):
        return bit if isinstance(target, BinaryTarget) else number
    column = description.column(target.name)
    categories = [] if column is None else column["categories"]
    if target.equals not in categories:
        raise RowFormatError(f"The plan learns a category of {target.name} that this site's description does not list.")
    return category(categories)


def _name(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
