"""The member's records: one table a data set in the site's folder, and the one door through which rows leave it.

A data set lies in `data/NAME.json` (the description that was registered) with its table beside it: CSV in UTF-8 with
a header, the columns of its schema and one more, `record`, the id under which consents know the subject.
"""

import csv
import hashlib
import secrets
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.consents.data_sets import Description, read_description
from agent.folder import SiteFolder
from agent.journal import Journal
from agent.training.errors import refused
from consent.domain.purposes import covers
from training.federated.algorithms.features import BinaryFeature, CategoricalFeature, Feature, Row
from training.federated.errors import RowFormatError
from training.federated.plan_document import PlanDocument

RECORD_COLUMN = "record"
FOLDER = "data"
MAX_TABLE_BYTES = 1024**3
_REGISTRATIONS = 10_000
Read = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Ticket:
    """What rows are read for; `function` is the digest of the code that will see them."""

    run: str
    round: int
    attempt: int
    function: str


@dataclass(frozen=True, slots=True, repr=False)
class Table:
    """Rows by record, in the file's order; only the plan's columns."""

    columns: tuple[str, ...]
    entries: tuple[tuple[str, Row], ...]

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
        self._tables: dict[tuple[str, Path, int, int], Table] = {}
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
        key = (plan.digest(), description.rows, status.st_mtime_ns, status.st_size)
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
        )
        return rows

    def _description_for(self, plan: PlanDocument) -> Description:
        registered = {
            entry.detail.get("name")
            for entry in self._journal.entries(limit=_REGISTRATIONS, kinds=("data_set",))
            if entry.outcome == "registered"
        }
        for path in sorted(self._folder.glob("*.json")):
            description = read_description(path)
            if description.name in registered and _serves(description, plan):
                return description
        raise refused("local_rule", "No registered data set of this site has the plan's columns and purpose.")


def _serves(description: Description, plan: PlanDocument) -> bool:
    columns = {column["name"]: column["kind"] for column in description.schema["columns"]}
    has_columns = all(columns.get(name) == kind for name, kind in plan.data_schema.columns.items())
    has_purpose = any(covers(purpose, plan.purpose) for purpose in description.purposes)
    return has_columns and has_purpose and set(description.conditions) <= set(plan.conditions)


def _load(description: Description, plan: PlanDocument) -> Table:
    reads: dict[str, Read] = {feature.name: _reader(feature) for feature in plan.training_plan.features}
    reads[plan.training_plan.target.name] = _number
    if description.rows.stat().st_size > MAX_TABLE_BYTES:
        raise RowFormatError(f"A table has at most {MAX_TABLE_BYTES} bytes.")
    try:
        with description.rows.open(newline="", encoding="utf-8") as file:
            entries = tuple(_entries(csv.reader(file, strict=True), reads))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise RowFormatError("The data set's table is not a readable CSV in UTF-8.") from error
    return Table(tuple(reads), entries)


def _entries(lines: Iterator[list[str]], reads: Mapping[str, Read]) -> Iterator[tuple[str, Row]]:
    header = next(lines, [])
    if len(set(header)) != len(header) or not {RECORD_COLUMN, *reads} <= set(header):
        raise RowFormatError(f"The table lacks a column of the plan or {RECORD_COLUMN}, or names one twice.")
    places = {name: header.index(name) for name in (RECORD_COLUMN, *reads)}
    for number, line in enumerate(lines, start=2):
        if len(line) != len(header):
            raise RowFormatError(f"Line {number} of the table has another number of fields than its header.")
        if not (record := line[places[RECORD_COLUMN]]):
            raise RowFormatError(f"Line {number} of the table names no record.")
        yield record, {name: _value(name, read, line[places[name]], number) for name, read in reads.items()}


def _value(name: str, read: Read, text: str, number: int) -> object:
    try:
        return read(text)
    except (ValueError, KeyError) as error:
        # The value itself is a record's, and stays out of every message.
        raise RowFormatError(f"Column {name} holds no value of its kind in line {number}; mend the table.") from error


def _reader(feature: Feature) -> Read:
    if isinstance(feature, CategoricalFeature):
        return _category({str(category): category for category in feature.categories})
    return _bit if isinstance(feature, BinaryFeature) else _number


def _category(categories: Mapping[str, object]) -> Read:
    return lambda text: categories[text]


def _bit(text: str) -> object:
    return {"0": 0, "1": 1}[text]


def _number(text: str) -> object:
    value = float(text)
    if value - value != 0:
        raise ValueError("not finite")
    return value


def _name(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
