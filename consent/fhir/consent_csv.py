"""Consents as a table that a steward keeps: each line becomes the R4 Consent that it means, and is read like any other.

Columns, by the names in the header: `record` (the subject's id), `decision` (permit or deny), `purpose` (DUO codes,
with MONDO codes of diseases, separated by spaces), `from`, and if wanted `until` (its last day), `categories` (names
of FHIR resource types; empty for all), `text` (which consent text the person was shown) and `id`. A column of another
name refuses the file: it might say what matters.
"""

import csv
import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Final

from consent.domain.provisions import RESOURCE_TYPES
from consent.fhir.codes import CONSENT_ACTION, CONSENT_SCOPE, DUO, MONDO
from consent.fhir.errors import ConsentElementError, ElementProblem, LineError
from consent.fhir.reader import MAX_LINE_BYTES, ParsedConsent, read_resources
from consortium.kernel.canonical import canonical_json
from consortium.kernel.errors import InvalidInputError

REQUIRED: Final = ("record", "decision", "purpose", "from")
OPTIONAL: Final = ("until", "categories", "text", "id")
TEXT_PREFIX: Final = "urn:consilium:consent-text:"
UNSTATED: Final = "unstated"
_RECORD: Final = re.compile(r"[A-Za-z0-9.-]{1,64}\Z")
_TEXT: Final = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
_TERM: Final = re.compile(r"(DUO|MONDO):\d{7}\Z", re.ASCII)
_SYSTEMS: Final = {"DUO": DUO, "MONDO": MONDO}
# Which column an element of the resource came from: a steward knows columns, not FHIR.
_COLUMNS: Final = {
    "Consent.id": "id",
    "Consent.dateTime": "from",
    "Consent.patient": "record",
    "Consent.policy": "text",
    "Consent.provision": "line",
    "Consent.provision.type": "decision",
    "Consent.provision.purpose": "purpose",
    "Consent.provision.period.start": "from",
    "Consent.provision.period.end": "until",
    "Consent.provision.period": "until",
    "Consent.provision.class": "categories",
}
Cells = Mapping[str, str]


def read_consent_csv(
    lines: Iterable[bytes], known_ids: Collection[str] = frozenset()
) -> Iterator[tuple[int, ParsedConsent | LineError]]:
    """Yield for each line below the header its number and the consent, or what is wrong with it by column.

    Raises
    ------
    InvalidInputError
        If the header lacks a column, names one twice, or names one that is not known; nothing was read then.
    """
    numbered = enumerate(lines, start=1)
    header = _header(next(numbered, (1, b""))[1])
    resources = ((number, partial(_resource, header, line)) for number, line in numbered if line.strip())
    for number, result in read_resources(resources, known_ids):
        yield number, _by_column(result) if isinstance(result, LineError) else result


def _header(line: bytes) -> tuple[str, ...]:
    try:
        names = tuple(name.strip() for name in _cells(line.removeprefix(b"\xef\xbb\xbf")))
    except ConsentElementError as error:
        raise InvalidInputError("The first line is no header of a CSV in UTF-8.") from error
    unknown = sorted(set(names) - set(REQUIRED) - set(OPTIONAL))
    if unknown or not set(REQUIRED) <= set(names) or len(set(names)) != len(names):
        raise InvalidInputError(
            f"A consent CSV has the columns {', '.join(REQUIRED)} and perhaps {', '.join(OPTIONAL)}, separated by "
            f"commas, each once{'; not known: ' + ', '.join(unknown) if unknown else ''}."
        )
    return names


def _resource(header: tuple[str, ...], line: bytes) -> dict[str, Any]:
    """Return the R4 Consent that a line means; its id follows from the line if it has none."""
    values = _cells(line)
    if len(values) != len(header):
        raise ConsentElementError("line", "has another number of fields than the header")
    cells = {name: value.strip() for name, value in zip(header, values, strict=True)}
    text = cells.get("text") or UNSTATED
    if not _RECORD.match(cells["record"]):
        raise ConsentElementError("record", "is not 1 to 64 letters, digits, hyphens and dots")
    if not _TEXT.match(text):
        raise ConsentElementError("text", "is not 1 to 64 letters, digits, hyphens, dots and underscores")
    if not cells["from"]:
        raise ConsentElementError("from", "is missing; write the day on which it was given")
    return {
        "resourceType": "Consent",
        "id": cells.get("id") or _derived_id(cells),
        "status": "active",
        "scope": {"coding": [{"system": CONSENT_SCOPE, "code": "research"}]},
        "category": [{"coding": [{"system": "http://loinc.org", "code": "57016-8"}]}],
        "patient": {"reference": f"Patient/{cells['record']}"},
        "dateTime": cells["from"],
        "policy": [{"uri": TEXT_PREFIX + text}],
        "provision": _provision(cells),
    }


def _provision(cells: Cells) -> dict[str, Any]:
    if cells["decision"] not in ("permit", "deny"):
        raise ConsentElementError("decision", "is neither permit nor deny")
    until, categories = cells.get("until", ""), cells.get("categories", "").split()
    return {
        "type": cells["decision"],
        "period": {"start": cells["from"], **({"end": until} if until else {})},
        "action": [{"coding": [{"system": CONSENT_ACTION, "code": "use"}]}],
        "purpose": _purposes(cells["purpose"]),
        **({"class": [{"system": RESOURCE_TYPES, "code": name} for name in categories]} if categories else {}),
    }


def _purposes(text: str) -> list[dict[str, str]]:
    terms = text.split()
    if not terms or not all(map(_TERM.match, terms)):
        raise ConsentElementError("purpose", "is not DUO codes such as DUO:0000006, separated by spaces")
    return [{"system": _SYSTEMS[term.partition(":")[0]], "code": term.replace(":", "_")} for term in terms]


def _derived_id(cells: Cells) -> str:
    """Return an id by which the same line is recorded once, in whatever file it comes."""
    said = {name: value for name, value in cells.items() if value}
    return "csv-" + hashlib.sha256(canonical_json(said)).hexdigest()[:40]


def _cells(line: bytes) -> list[str]:
    if len(line) > MAX_LINE_BYTES:
        raise ConsentElementError("line", f"is longer than {MAX_LINE_BYTES} bytes")
    try:
        return next(csv.reader([line.decode().rstrip("\r\n")], strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConsentElementError("line", "is no line of a CSV in UTF-8") from error


def _by_column(error: LineError) -> LineError:
    return LineError(error.line, tuple(ElementProblem(_column(path), reason) for path, reason in error.problems))


def _column(path: str) -> str:
    """Return the column that the longest part of an element's path came from."""
    plain = path.split("[")[0]
    while plain:
        if plain in _COLUMNS:
            return _COLUMNS[plain]
        plain = plain.rpartition(".")[0]
    return path
