"""Reading FHIR R4 consents from NDJSON, one resource a line, so that a bad line spoils no good one."""

import json
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, NoReturn

from consent.domain.grants import Grant
from consent.fhir.bindings import validation_problems
from consent.fhir.errors import ConsentElementError, ElementProblem, LineError
from consent.fhir.mapping import consent_id, grant_of, subject_of
from consent.fhir.stripping import strip

# A broad consent with 27 provisions and its narrative has about 40 kB; an attached PDF belongs elsewhere.
MAX_LINE_BYTES = 256 * 1024
MAX_NESTING = 32
_STRING = re.compile(rb'"(?:[^"\\]|\\.)*+"')
_BRACKET = re.compile(rb"[\[\]{}]")


@dataclass(frozen=True, slots=True)
class ParsedConsent:
    """A consent that was read: whose it is, what it means, and the resource itself.

    Until `pseudonymize`, subject, ids, resource and source digest are the site's own and must not leave it.
    """

    subject: str
    grant: Grant
    resource: Mapping[str, Any]


def read_consents(
    lines: Iterable[bytes], known_ids: Collection[str] = frozenset()
) -> Iterator[tuple[int, ParsedConsent | LineError]]:
    """Yield for each line that is not blank its number, from 1, and the consent or what is wrong with it.

    Refused are lines longer than `MAX_LINE_BYTES` or nested deeper than `MAX_NESTING`, what is not one JSON object
    without doubled keys, what FHIR R4 forbids, what cannot be honored, and an id that `known_ids` or an earlier
    line has. Stripped resources are read by the same rules; check them with `find_personal_data`.
    """
    numbered = ((number, partial(_read_object, line)) for number, line in enumerate(lines, start=1) if line.strip())
    return read_resources(numbered, known_ids)


def read_resources(
    numbered: Iterable[tuple[int, Callable[[], Mapping[str, Any]]]], known_ids: Collection[str] = frozenset()
) -> Iterator[tuple[int, ParsedConsent | LineError]]:
    """Yield for each line its number and the consent that its resource holds, or what is wrong with it.

    Parameters
    ----------
    numbered : lines' numbers, and what reads the resource there or raises `ConsentElementError`
    known_ids : ids that are recorded already
    """
    lines_by_id: dict[str, int] = {}
    for number, resource in numbered:
        try:
            parsed = parse_consent(resource())
            _require_new(parsed.grant.id, lines_by_id, known_ids)
        except _InvalidResourceError as error:
            yield number, LineError(number, error.problems)
        except ConsentElementError as error:
            yield number, LineError(number, (error.problem,))
        else:
            lines_by_id[parsed.grant.id] = number
            yield number, parsed


def parse_consent(resource: Mapping[str, Any]) -> ParsedConsent:
    """Return the consent that one resource holds.

    Raises
    ------
    ConsentElementError
        If it is no valid R4 Consent or cannot be honored.
    """
    if problems := validation_problems(resource):
        raise _InvalidResourceError(tuple(problems))
    consent_id(resource)
    return ParsedConsent(subject_of(resource), grant_of(resource), resource)


def pseudonymize(parsed: ParsedConsent, *, key: bytes) -> ParsedConsent:
    """Return the consent as it may leave the site: stripped, its subject and id keyed pseudonyms."""
    return parse_consent(strip(parsed.resource, key=key))


def bounded_lines(stream: BinaryIO) -> Iterator[bytes]:
    """Yield a file's lines without ever holding a longer one than `MAX_LINE_BYTES` + 1; the rest of it is skipped."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        yield line
        while len(line) > MAX_LINE_BYTES and not line.endswith(b"\n") and (rest := stream.readline(MAX_LINE_BYTES + 1)):
            line = rest


class _InvalidResourceError(ConsentElementError):
    def __init__(self, problems: tuple[ElementProblem, ...]) -> None:
        super().__init__(*problems[0])
        self.problems = problems


def _require_new(identifier: str, lines_by_id: Mapping[str, int], known_ids: Collection[str]) -> None:
    if identifier in lines_by_id:
        raise ConsentElementError("Consent.id", f"is the id of line {lines_by_id[identifier]} too")
    if identifier in known_ids:
        raise ConsentElementError("Consent.id", "is the id of a consent that is already recorded")


def _read_object(line: bytes) -> dict[str, Any]:
    if len(line) > MAX_LINE_BYTES:
        raise ConsentElementError("Consent", f"is longer than {MAX_LINE_BYTES} bytes")
    _require_shallow(line)
    try:
        value = json.loads(line.decode(), object_pairs_hook=_without_doubles, parse_constant=_refuse)
    except _DoubledKeyError as error:
        raise ConsentElementError("Consent", "names an element twice in one object") from error
    except (ValueError, RecursionError) as error:
        raise ConsentElementError("Consent", "is not one JSON value in UTF-8") from error
    if not isinstance(value, dict):
        raise ConsentElementError("Consent", "is not a JSON object")
    return value


class _DoubledKeyError(ValueError):
    pass


def _without_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _DoubledKeyError
    return value


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _require_shallow(line: bytes) -> None:
    """Refuse by counting brackets: the parser would go as deep as the text says, on a thread's small stack."""
    depth = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", line)):
        depth += 1 if bracket in b"[{" else -1
        if depth > MAX_NESTING:
            raise ConsentElementError("Consent", f"is nested deeper than {MAX_NESTING}")
