"""Registering a data set: the site counts its rows and tells the consortium the band, the columns and the terms."""

import csv
import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.client import PREFIX
from agent.clock import Clock, now
from agent.consents.outgoing import OutgoingMail
from agent.consents.signing import DocumentSigner
from agent.journal import Journal
from consent.domain.data_sets import DATA_SET_FORMAT, DataSetDocument, read_data_set
from consortium.kernel.bands import band
from consortium.kernel.errors import InvalidInputError

DATA_SETS_PATH = f"{PREFIX}/data-sets"
MAX_DESCRIPTION_BYTES = 1024 * 1024
_KEYS = {"name", "schema", "purposes", "conditions", "rows"}


@dataclass(frozen=True, slots=True)
class Description:
    """A file that describes a data set; `rows` is the table (CSV with a header) beside it."""

    name: str
    schema: Mapping[str, Any]
    purposes: tuple[str, ...]
    conditions: tuple[str, ...]
    rows: Path


class DataSets:
    """Registers data sets of one member."""

    def __init__(
        self,
        *,
        mail: OutgoingMail,
        signer: DocumentSigner,
        journal: Journal,
        organization: uuid.UUID,
        clock: Clock = now,
    ) -> None:
        self._mail = mail
        self._signer = signer
        self._journal = journal
        self._organization = organization
        self._clock = clock

    def register(self, path: Path, *, consortium: uuid.UUID) -> DataSetDocument:
        """Read the description, count the rows, sign band and terms, and queue them for the platform.

        Raises
        ------
        InvalidInputError
            If the description is malformed, or the table lacks one of its columns.
        """
        described = read_description(path)
        count = count_rows(described.rows, [column["name"] for column in described.schema["columns"]])
        document = read_data_set(
            {
                "format": DATA_SET_FORMAT,
                "organization": str(self._organization),
                "consortium": str(consortium),
                "name": described.name,
                "schema": dict(described.schema),
                "band": band(count),
                "purposes": list(described.purposes),
                "conditions": sorted(described.conditions),
                "signed_at": int(self._clock().timestamp()),
            }
        )
        message = self._signer.signed(document.document(), DATA_SETS_PATH)
        self._mail.keep(message)
        self._journal.record("data_set", "registered", digest=message.digest, name=described.name, band=document.band)
        return document


def read_description(path: Path) -> Description:
    """Read a description strictly: name, schema, purposes, conditions, and rows (a path relative to it)."""
    try:
        content = path.read_bytes()
        value = json.loads(content) if len(content) <= MAX_DESCRIPTION_BYTES else None
    except (OSError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"{path} is not a readable JSON description of a data set.") from error
    if not isinstance(value, dict) or set(value) != _KEYS or not isinstance(value["schema"], dict):
        raise InvalidInputError(f"{path} must have exactly: {', '.join(sorted(_KEYS))}.")
    lists = (value["purposes"], value["conditions"])
    if not isinstance(value["rows"], str) or not all(isinstance(each, list) for each in lists):
        raise InvalidInputError(f"{path}: rows is a path, purposes and conditions are lists.")
    if not isinstance(value["schema"].get("columns"), list):
        raise InvalidInputError(f"{path}: schema.columns is a list of columns.")
    return Description(
        value["name"], value["schema"], tuple(lists[0]), tuple(lists[1]), path.parent / Path(value["rows"])
    )


def count_rows(path: Path, columns: list[str]) -> int:
    """Return how many rows a table has; `InvalidInputError` if its header lacks a column."""
    try:
        with path.open(newline="", encoding="utf-8") as file:
            reader = csv.reader(file)
            header = next(reader, [])
            missing = [name for name in columns if name not in header]
            if missing:
                raise InvalidInputError(f"The table lacks the columns {', '.join(missing)} of the description.")
            return sum(1 for row in reader if row)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InvalidInputError(f"{path} is not a readable CSV table in UTF-8.") from error
