"""Importing consents, FHIR in NDJSON or a CSV: checked line by line, pseudonymized, stored, signed for the platform.

An import is for named consortia, and what it brings counts in these alone.
"""

import uuid
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.client import PREFIX
from agent.clock import Clock, now
from agent.consents.errors import ConsentStoreError
from agent.consents.outgoing import OutgoingMail
from agent.consents.signing import DocumentSigner
from agent.consents.store import ConsentStore
from consent.domain.documents import MAX_ENTRIES, Batch, BatchEntry
from consent.fhir.consent_csv import read_consent_csv
from consent.fhir.errors import ConsentElementError, LineError
from consent.fhir.pseudonyms import pseudonym
from consent.fhir.reader import ParsedConsent, bounded_lines, pseudonymize, read_consents
from consortium.kernel.canonical import canonical_json
from consortium.kernel.errors import InvalidInputError

BATCH_PATH = f"{PREFIX}/consents/batches"
# Half of what the platform reads at once, and few enough consents to be checked within one request.
BATCH_BYTES = 2 * 1024 * 1024
BATCH_ENTRIES = min(500, MAX_ENTRIES)
PROGRESS_LINES = 100

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file: `lines` that were not blank, how many consents were taken, and what is wrong with others.

    `batches` counts the signed batches that now wait for the platform.
    """

    lines: int
    accepted: int
    refused: tuple[LineError, ...]
    batches: int


@dataclass(frozen=True, slots=True)
class _Good:
    """A consent that is taken, the consortia in which it did not count before, and those in which it did, if any."""

    line: int
    record: str
    consent: ParsedConsent
    consortia: frozenset[uuid.UUID]
    recorded: frozenset[uuid.UUID] | None


class Importer:
    """Takes files of consents into the site's store."""

    def __init__(
        self,
        *,
        store: ConsentStore,
        mail: OutgoingMail,
        signer: DocumentSigner,
        organization: uuid.UUID,
        pseudonym_key: bytes,
        clock: Clock = now,
    ) -> None:
        self._store = store
        self._mail = mail
        self._signer = signer
        self._organization = organization
        self._key = pseudonym_key
        self._clock = clock

    def import_file(
        self, path: Path, *, consortia: Sequence[uuid.UUID], progress: Progress | None = None
    ) -> ImportReport:
        """Take every good line and report every bad one; all good lines are kept in one transaction, or none.

        Parameters
        ----------
        consortia : which consortia's platforms get the pseudonymous copies
        progress : called with the number of lines read, every 100 lines and at the end

        Raises
        ------
        InvalidInputError
            If the file cannot be read, or no consortium is named.
        """
        if not consortia:
            raise InvalidInputError("This site belongs to no consortium yet; consents are imported for one.")
        good, bad = self._read(path, frozenset(consortia), progress or (lambda _lines: None))
        at = int(self._clock().timestamp())
        with self._store.database.transaction() as connection:
            for one in good:
                self._add(one, at)
            batches = self._queue(good, len(bad), consortia, at) if good else 0
            if good:
                self._store.raise_generation()
                rows = [(str(consortium),) for consortium in consortia]
                connection.executemany("INSERT OR IGNORE INTO wishes VALUES (?)", rows)
        return ImportReport(len(good) + len(bad), len(good), tuple(bad), batches)

    def _read(
        self, path: Path, consortia: frozenset[uuid.UUID], progress: Progress
    ) -> tuple[list[_Good], list[LineError]]:
        good: list[_Good] = []
        bad: list[LineError] = []
        lines = 0
        try:
            with path.open("rb") as file:
                read = read_consent_csv if path.suffix == ".csv" else read_consents
                for lines, result in read(bounded_lines(file), _KnownIds(self._store, self._key, consortia)):
                    if isinstance(result, LineError):
                        bad.append(result)
                    else:
                        self._take(lines, result, consortia, good, bad)
                    if lines % PROGRESS_LINES == 0:
                        progress(lines)
        except OSError as error:
            raise InvalidInputError(
                f"{path} cannot be read. Name an NDJSON file of FHIR Consents, or a consent CSV."
            ) from error
        progress(lines)
        return good, bad

    def _take(
        self,
        line: int,
        parsed: ParsedConsent,
        consortia: frozenset[uuid.UUID],
        good: list[_Good],
        bad: list[LineError],
    ) -> None:
        try:
            consent = pseudonymize(parsed, key=self._key)
            recorded = self._store.recorded_for(consent.grant.id)
            if recorded is not None and not self._store.holds_as(consent.grant, consent.resource):
                raise ConsentElementError("Consent.id", "is recorded with other content, or was withdrawn")
            good.append(_Good(line, parsed.subject, consent, consortia - (recorded or frozenset()), recorded))
        except ConsentElementError as error:
            # What is left after stripping must mean something by itself.
            bad.append(LineError(line, (error.problem,)))

    def _add(self, one: _Good, at: int) -> None:
        """Record a new consent; let one that counts elsewhere count in further consortia too."""
        identifier = one.consent.grant.id
        if self._store.recorded_for(identifier) != one.recorded:
            raise ConsentStoreError(
                "A consent of this file was recorded by another import at the same time. Import the file again."
            )
        if one.recorded is None:
            self._store.add(
                record=one.record,
                pseudonym=one.consent.subject,
                resource=dict(one.consent.resource),
                grant=one.consent.grant,
                at=at,
            )
        self._store.add_to(identifier, one.consortia)

    def _queue(self, good: Sequence[_Good], refused: int, consortia: Sequence[uuid.UUID], at: int) -> int:
        count = 0
        for consortium in consortia:
            self._store.join(consortium)
            for number, entries in enumerate(_pieces([one for one in good if consortium in one.consortia])):
                batch = Batch(
                    self._organization,
                    consortium,
                    self._next_sequence(consortium),
                    at,
                    refused if number == 0 else 0,
                    entries,
                )
                self._mail.keep(self._signer.signed(batch.document(), BATCH_PATH))
                count += 1
        return count

    def _next_sequence(self, consortium: uuid.UUID) -> int:
        with self._store.database.transaction() as connection:
            connection.execute("UPDATE consortia SET batches = batches + 1 WHERE id = ?", (str(consortium),))
            row = connection.execute("SELECT batches FROM consortia WHERE id = ?", (str(consortium),)).fetchone()
        return int(row[0])


class _KnownIds(Collection[str]):
    """The ids of consents that count in all of some consortia, as their source writes them: found by pseudonym."""

    def __init__(self, store: ConsentStore, key: bytes, consortia: frozenset[uuid.UUID]) -> None:
        self._store = store
        self._key = key
        self._consortia = consortia

    def __contains__(self, identifier: object) -> bool:
        if not isinstance(identifier, str):
            return False
        recorded = self._store.recorded_for(pseudonym(self._key, f"Consent/{identifier}"))
        return recorded is not None and self._consortia <= recorded

    def __iter__(self) -> Iterator[str]:
        raise TypeError("the source's ids are not kept")

    def __len__(self) -> int:
        return sum(count for name, count in self._store.numbers().items() if name != "subjects")


def _pieces(good: Sequence[_Good]) -> Iterator[tuple[BatchEntry, ...]]:
    piece: list[BatchEntry] = []
    size = 0
    for one in good:
        entry = BatchEntry(one.line, dict(one.consent.resource))
        length = len(canonical_json(dict(entry.resource)))
        if piece and (len(piece) == BATCH_ENTRIES or size + length > BATCH_BYTES):
            yield tuple(piece)
            piece, size = [], 0
        piece.append(entry)
        size += length
    if piece:
        yield tuple(piece)
