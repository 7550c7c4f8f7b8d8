"""A data-set file: what a table's columns mean, whom its rows are of, and what they may be used for.

JSON or TOML. What the consortium learns of it is name, columns, purposes and conditions; the rest says how this site
reads its own table.
"""

import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from consent.domain.data_sets import require_schema
from consortium.kernel.errors import InvalidInputError
from training.federated.column_features import RULES, feature_of
from training.federated.errors import PlanFormatError, WireFormatError
from training.federated.plan_columns import read_feature

MAX_DESCRIPTION_BYTES: Final = 1024 * 1024
SUBJECT: Final = "record"
SUFFIXES: Final = (".json", ".toml")
_REQUIRED: Final = {"name", "rows", "purposes"}
_OPTIONAL: Final = {"conditions", "subject", "target", "missing_values"}


@dataclass(frozen=True, slots=True)
class Description:
    """A file that describes a data set; `rows` is the table beside it.

    Parameters
    ----------
    name : str
    schema : mapping
        `{"columns": [...]}` as the consortium learns it.
    purposes, conditions : tuple of str
        DUO terms.
    rows : Path
    subject : str
        The table's column that holds the id under which consents know a row's subject.
    target : str
        The column that a plan learns, unless it names another; empty for none.
    missing_values : tuple of str
        Texts that mean that a value is missing.
    digest : str
        Of the file's bytes.
    """

    name: str
    schema: Mapping[str, Any]
    purposes: tuple[str, ...]
    conditions: tuple[str, ...]
    rows: Path
    subject: str = SUBJECT
    target: str = ""
    missing_values: tuple[str, ...] = ("",)
    digest: str = ""

    @property
    def columns(self) -> Sequence[Mapping[str, Any]]:
        found: Sequence[Mapping[str, Any]] = self.schema["columns"]
        return found

    def column(self, name: str) -> Mapping[str, Any] | None:
        return next((column for column in self.columns if column["name"] == name), None)


def read_description(path: Path) -> Description:
    """Read a description strictly.

    Raises
    ------
    InvalidInputError
        Naming the file and what is wrong in it.
    """
    content = _content(path)
    try:
        return _described(path, _parsed(path, content), hashlib.sha256(content).hexdigest())
    except (InvalidInputError, PlanFormatError, WireFormatError) as error:
        raise InvalidInputError(f"{path}: {error.message}") from error


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_DESCRIPTION_BYTES + 1)
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be read. Name a data-set file.") from error
    if len(content) > MAX_DESCRIPTION_BYTES:
        raise InvalidInputError(f"{path} is longer than {MAX_DESCRIPTION_BYTES} bytes; name the data-set file.")
    return content


def _parsed(path: Path, content: bytes) -> Mapping[str, Any]:
    form = "TOML" if path.suffix == ".toml" else "JSON"
    try:
        text = content.decode()
        value = tomllib.loads(text) if form == "TOML" else json.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InvalidInputError(f"no readable TOML: {error}.") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"no readable {form} in UTF-8.") from error
    if not isinstance(value, dict):
        raise InvalidInputError("a data-set file is one object.")
    return value


def _described(path: Path, value: Mapping[str, Any], digest: str) -> Description:
    columns, rest = _columns(value)
    if not _REQUIRED <= set(rest) <= _REQUIRED | _OPTIONAL:
        wrong = sorted(set(rest) - _REQUIRED - _OPTIONAL) or sorted(_REQUIRED - set(rest))
        raise InvalidInputError(
            f"{', '.join(wrong)}: a data-set file has name, rows, purposes and columns, and perhaps "
            f"{', '.join(sorted(_OPTIONAL))}."
        )
    schema = require_schema({"columns": columns})
    found = Description(
        name=_text(rest, "name"),
        schema=schema,
        purposes=_texts(rest, "purposes"),
        conditions=_texts(rest, "conditions"),
        rows=path.parent / _text(rest, "rows"),
        subject=_text({"subject": SUBJECT, **rest}, "subject"),
        target=_text(rest, "target") if "target" in rest else "",
        missing_values=_texts(rest, "missing_values", default=("",)),
        digest=digest,
    )
    _ensure_sound(found)
    return found


def _columns(value: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], Mapping[str, Any]]:
    """Return the columns, which stand at the top or in `schema`, and what else there is."""
    rest = {key: item for key, item in value.items() if key not in ("schema", "columns")}
    schema = value.get("schema", {"columns": value.get("columns")})
    columns = schema.get("columns") if isinstance(schema, dict) and set(schema) == {"columns"} else None
    if ("schema" in value) == ("columns" in value) or not isinstance(columns, list):
        raise InvalidInputError("columns is a list of columns, at the top of the file or in schema.")
    if not all(isinstance(column, dict) and "name" in column for column in columns):
        raise InvalidInputError("each of the columns has a name and a kind.")
    return columns, rest


def _ensure_sound(found: Description) -> None:
    """Hold names to each other and rules to the kinds of their columns."""
    if found.column(found.subject) is not None:
        raise InvalidInputError("subject names the table's column with the subject's id, which is not among columns.")
    if found.target and found.column(found.target) is None:
        raise InvalidInputError("target is one of the columns.")
    for column in found.columns:
        if RULES & set(column):
            read_feature(feature_of(column))


def _text(value: Mapping[str, Any], key: str) -> str:
    if not isinstance(value[key], str) or not value[key]:
        raise InvalidInputError(f"{key} is text.")
    return str(value[key])


def _texts(value: Mapping[str, Any], key: str, default: Sequence[str] = ()) -> tuple[str, ...]:
    items = value.get(key, list(default))
    if not isinstance(items, list) or not all(isinstance(item, str) for item in items):
        raise InvalidInputError(f"{key} is a list of texts.")
    return tuple(items)
