"""A data set as its site describes it: columns, a banded row count, DUO terms; never a row, never an exact count."""

import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from consent.domain.documents import natural
from consent.domain.purposes import require_conditions, require_exact_purpose
from consortium.kernel.bands import EDGES
from consortium.kernel.digests import digest_of
from consortium.kernel.errors import InvalidInputError

DATA_SET_FORMAT = "consilium-data-set/1"
MAX_COLUMNS = 1000
MAX_CATEGORIES = 1000
MAX_PURPOSES = 64
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}\Z")
_UNIT = re.compile(r"[!-~]{1,32}\Z")
# What a drafted plan does about missing values and values outside the bounds stands beside what the column is.
_RULE_KEYS = {"missing", "outside", "indicator"}
_COLUMN_KEYS = {"name", "kind", "categories", "unit", "minimum", "maximum", *_RULE_KEYS}
_KINDS = ("numeric", "binary", "categorical")


@dataclass(frozen=True, slots=True)
class DataSetDocument:
    """What a site registers; `band` is the lower edge of the band of its number of rows."""

    organization: uuid.UUID
    consortium: uuid.UUID
    name: str
    schema: Mapping[str, Any]
    band: int
    purposes: tuple[str, ...]
    conditions: tuple[str, ...]
    signed_at: int

    @property
    def schema_digest(self) -> str:
        """The digest by which plans name the schema."""
        return digest_of(dict(self.schema))

    def document(self) -> dict[str, Any]:
        """Return the object that is digested and signed."""
        return {
            "format": DATA_SET_FORMAT,
            "organization": str(self.organization),
            "consortium": str(self.consortium),
            "name": self.name,
            "schema": dict(self.schema),
            "band": self.band,
            "purposes": list(self.purposes),
            "conditions": list(self.conditions),
            "signed_at": self.signed_at,
        }


def read_data_set(value: Mapping[str, Any]) -> DataSetDocument:
    """Read a data set's document.

    Raises
    ------
    InvalidInputError
        Naming what is wrong: an unknown field, a column without a kind, an exact count, a purpose that is none.
    """
    try:
        document = _document(value)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInputError("The document does not describe a data set: a field is missing or wrong.") from error
    if document.document() != dict(value):
        raise InvalidInputError("The document has fields that a data set does not have, or spells one otherwise.")
    if document.band not in (0, *EDGES):
        raise InvalidInputError("A data set's size is the lower edge of a band, never a count.")
    return document


def require_schema(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the schema if it is one: `{"columns": [{"name", "kind"}]}`, with categories, unit or bounds of a column.

    Raises
    ------
    InvalidInputError
        Naming the column.
    """
    columns = schema.get("columns")
    if set(schema) != {"columns"} or not isinstance(columns, list) or not 0 < len(columns) <= MAX_COLUMNS:
        raise InvalidInputError(f"A schema has 1 to {MAX_COLUMNS} columns and nothing else.")
    for number, column in enumerate(columns):
        _require_column(column, f"columns[{number}]")
    names = [column["name"] for column in columns]
    if len(set(names)) != len(names):
        raise InvalidInputError("Two columns have one name.")
    return schema


def _require_column(column: Any, where: str) -> None:
    if not isinstance(column, Mapping) or not {"name", "kind"} <= set(column) <= _COLUMN_KEYS:
        raise InvalidInputError(f"{where} has name, kind and perhaps categories, unit, bounds and rules.")
    if not _matches(_NAME, column["name"]) or column["kind"] not in _KINDS:
        raise InvalidInputError(f"{where} has a plain name and a kind: {', '.join(_KINDS)}.")
    if "unit" in column and not _matches(_UNIT, column["unit"]):
        raise InvalidInputError(f"{where}.unit is 1 to 32 printable characters without spaces.")
    if {"minimum", "maximum"} & set(column) and not _are_bounds(column):
        raise InvalidInputError(f"{where}: a numeric column has minimum and maximum, numbers, the first one lower.")
    if not _are_rules(column):
        raise InvalidInputError(f"{where}: missing, outside or indicator is no rule of plans.")
    categories = column.get("categories", [])
    if (column["kind"] == "categorical") != ("categories" in column) or not _are_categories(categories):
        raise InvalidInputError(f"{where}.categories: a categorical column lists its values, no other has any.")


def _are_bounds(column: Mapping[str, Any]) -> bool:
    bounds: list[Any] = [column.get("minimum"), column.get("maximum")]
    are_numbers = all(type(value) in (int, float) and math.isfinite(value) for value in bounds)
    return column["kind"] == "numeric" and are_numbers and bool(bounds[0] < bounds[1])


def _are_rules(column: Mapping[str, Any]) -> bool:
    """Bound what a rule may be; whether it fits its column is said where plans are read."""
    missing = column.get("missing", "refuse")
    constant = missing.get("value") if isinstance(missing, Mapping) and set(missing) == {"value"} else missing
    is_short = type(constant) in (int, float) or (isinstance(constant, str) and len(constant) <= 64)
    return is_short and column.get("outside", "clip") == "clip" and column.get("indicator", True) is True


def _are_categories(values: Any) -> bool:
    return (
        isinstance(values, list)
        and len(values) <= MAX_CATEGORIES
        and all(type(value) is int or (type(value) is str and 0 < len(value) <= 64) for value in values)
        and len({str(value) for value in values}) == len(values)
    )


def _matches(pattern: re.Pattern[str], value: Any) -> bool:
    return isinstance(value, str) and bool(pattern.match(value))


def _document(value: Mapping[str, Any]) -> DataSetDocument:
    if not _matches(_NAME, value["name"]):
        raise InvalidInputError("A data set's name has letters, digits, dots, dashes and underscores; at most 64.")
    purposes = tuple(require_exact_purpose(purpose) for purpose in value["purposes"])
    if not 0 < len(purposes) <= MAX_PURPOSES:
        raise InvalidInputError("A data set names the DUO purposes that it may be used for.")
    return DataSetDocument(
        organization=uuid.UUID(value["organization"]),
        consortium=uuid.UUID(value["consortium"]),
        name=value["name"],
        schema=require_schema(value["schema"]),
        band=natural(value["band"]),
        purposes=purposes,
        conditions=tuple(sorted(require_conditions(value["conditions"]))),
        signed_at=natural(value["signed_at"]),
    )
